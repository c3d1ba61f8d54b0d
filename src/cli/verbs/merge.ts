import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { allMethods } from "../../defenses";
import { terminalProgress } from "../../display/progress";
import { mergeCheckpoints, parseRecipe } from "../../merging";
import { interruptSignal } from "../interrupt";
import { printJson, printNote, printText } from "../output";

interface MergeFlags {
  readonly out: string;
  readonly json?: boolean;
  readonly rehash?: boolean;
}

/** Adds `damlab merge RECIPE.yaml --out DIR`. */
export function registerMerge(program: Command): void {
  program
    .command("merge")
    .summary("merge models by a recipe")
    .description(
      `Merges models as a YAML recipe says: base, models, method (${[...allMethods.keys()].join(", ")}), options, dtype, merge. ` +
        "Methods that adapt to unlabelled images also take suite, seed, adaptOn and tasks. Interrupted, they keep their state beside the " +
        "output, and the same command goes on from there. Writes a folder that transformers opens, with run.json.",
    )
    .argument("<recipe>", "path of the recipe; relative paths in it start from its folder")
    .requiredOption("--out <folder>", "folder to write; an earlier output is replaced")
    .option("--rehash", "hash the models' files again, also those that have not changed since damlab hashed them")
    .option("--json", "print run.json's content on stdout")
    .action((recipe: string, flags: MergeFlags) => runMerge(recipe, flags));
}

async function runMerge(file: string, { out, json, rehash }: MergeFlags): Promise<void> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new Error(
      `Cannot read recipe ${JSON.stringify(file)}: ${error.code === "ENOENT" ? "expected a file, got nothing there" : error.message}`,
    );
  });
  const recipe = parseRecipe(text, file, allMethods);
  const terminal = process.stderr.isTTY;
  const onProgress = (fraction: number, title: string): void => {
    if (terminal) process.stderr.write(`\r\x1b[K${String(Math.round(100 * fraction)).padStart(3)} % ${title}`);
  };
  const record = await mergeCheckpoints(recipe, out, { signal: interruptSignal(), onProgress, progress: terminalProgress(), rehash });
  if (terminal) process.stderr.write("\r\x1b[K");
  if (json === true) return printJson(record);
  const { models, method, parameters, timings } = record;
  printNote(`Merged ${models.map(({ task }) => task).join(", ")} by ${method.title}: ${parameters} parameters in ${timings.total} s`);
  printText(out);
}
