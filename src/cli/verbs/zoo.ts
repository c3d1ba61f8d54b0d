import type { Command } from "commander";
import { makeFolder } from "../../checkpoints/makeFolder";
import { terminalProgress } from "../../display/progress";
import { startEngine } from "../../engine";
import { buildZoo, deskFolder, verifyZoo, type ZooCheck } from "../../zoo";
import { interruptSignal } from "../interrupt";
import { printJson, printText, UsageError } from "../output";

/** `damlab zoo build` and `damlab zoo verify`: makes and checks the models that damlab ships. */
export function registerZoo(program: Command): void {
  const zoo = program.command("zoo").description("Build or verify the shipped desk models.");
  zoo
    .command("build")
    .description("Train the base and all models of the desk zoo; a build that was stopped goes on where it was.")
    .requiredOption("--out <dir>", "folder of the zoo")
    .option("--base-seed <n>", "seed of the base; each has models of its own", naturalNumber, 0)
    .option("--workers <n>", "worker threads; the bytes do not depend on it", naturalNumber)
    .option("--json", "print the zoo's list")
    .action(buildAction);
  zoo
    .command("verify")
    .description("Check that every file of the zoo is what its list says, and train members again to the same bytes.")
    .option("--folder <dir>", "folder of the zoo; default the shipped one")
    .option("--rebuild <what>", "all, the path of a member, or how many to choose")
    .option("--seed <n>", "decides which members are chosen", naturalNumber, 0)
    .option("--json", "print all checks")
    .action(verifyAction);
}

async function buildAction({
  out,
  baseSeed,
  workers,
  json,
}: {
  out: string;
  baseSeed: number;
  workers?: number;
  json?: boolean;
}): Promise<void> {
  await startEngine();
  makeFolder(out);
  const zoo = await buildZoo(out, { baseSeed, progress: terminalProgress(), signal: interruptSignal(), ...(workers && { workers }) });
  if (json) printJson(zoo);
  else printText(`Built ${zoo.models.length} models and ${Object.keys(zoo.triggers).length} triggers in ${out}`);
}

async function verifyAction({
  folder,
  rebuild,
  seed,
  json,
}: {
  folder?: string;
  rebuild?: string;
  seed: number;
  json?: boolean;
}): Promise<void> {
  if (rebuild !== undefined) await startEngine();
  const choice = rebuild !== undefined && /^\d+$/.test(rebuild) ? Number(rebuild) : rebuild;
  const checks = await verifyZoo(folder ?? deskFolder(), {
    ...(choice !== undefined && { rebuild: choice }),
    seed,
    progress: terminalProgress(),
    signal: interruptSignal(),
  });
  const broken = checks.filter(({ expected, found }) => expected !== found);
  if (json) printJson(checks);
  else printText([...checks.map(describe), `${checks.length - broken.length} of ${checks.length} as listed`].join("\n"));
  if (broken.length > 0) {
    const { file, expected, found } = broken[0]!;
    throw new Error(`Cannot verify "${file}": expected sha256 ${expected}, got ${found}`);
  }
}

function describe({ file, expected, found, how }: ZooCheck): string {
  return `${expected === found ? "ok  " : "BAD "} ${how === "hash" ? "listed " : "rebuilt"} ${file}`;
}

function naturalNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`Expected a whole number, got "${text}"`);
  return Number(text);
}
