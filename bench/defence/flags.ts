/** @file What the programs about the defence understand on their command lines, and what follows from it. */
import * as path from "node:path";
import { configureCells, loadTaskVectors, ResultCache, type Suite, type TaskVectors } from "../../src/cells";
import { lineProgress } from "../../src/display/progress";

/** A flag that may be given any number of times. */
export const many = { type: "string", multiple: true, default: [] as string[] } as const;

/** The flags that all of them have. @param name Of the folder below results/. */
export function commonFlags(name: string, seeds = "0,1,2") {
  return {
    help: { type: "boolean", default: false },
    "zoo-seeds": { type: "string", default: "0,1,2" },
    seeds: { type: "string", default: seeds },
    split: { type: "string", default: "test" },
    images: { type: "string" },
    attacked: { type: "string", default: "resisc45,eurosat" },
    attack: { type: "string", default: "trojvit" },
    suite: { type: "string", default: "desk" },
    out: { type: "string", default: path.join("results", name) },
    cache: { type: "string" },
  } as const;
}

/** Keeps what is done in `--cache`, else below `--out`. */
export function configureRuns({ cache, out }: { readonly cache?: string; readonly out: string }): void {
  configureCells({ cache: new ResultCache(cache ?? path.join(out, "cache")), progress: lineProgress({}) });
}

/** Which images are judged. */
export function judgedImages({ split, images }: { readonly split: string; readonly images?: string }) {
  return { split: split as "test", ...(images === undefined ? {} : { limit: Number(images) }) };
}

/** The task vectors of each zoo seed, one after the other. */
export async function* zooSeeds(
  suite: Suite,
  flags: { readonly "zoo-seeds": string; readonly attacked: string; readonly attack: string },
): AsyncGenerator<{ readonly zooSeed: number; readonly vectors: TaskVectors }> {
  for (const zooSeed of numbers(flags["zoo-seeds"])) {
    process.stderr.write(`Zoo seed ${zooSeed}\n`);
    yield {
      zooSeed,
      vectors: await loadTaskVectors(suite, { backdoored: flags.attacked.split(","), attack: flags.attack, attackSeed: zooSeed }),
    };
  }
}

/** Wrong usage ends the process with one line. */
export function usage<Parsed>(parse: () => Parsed): Parsed {
  try {
    return parse();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return process.exit(2);
  }
}

/** Numbers with commas between them. */
export function numbers(list: string): number[] {
  return list.split(",").map((text) => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isFinite(value))
      throw new RangeError(`Cannot read "${list}": expected numbers with commas, got "${text}"`);
    return value;
  });
}

/** `KEY=VALUE`, with VALUE as JSON where it is JSON. */
export function pair(text: string): [string, unknown] {
  const cut = text.indexOf("=");
  if (cut < 1) throw new RangeError(`Cannot read "${text}": expected KEY=VALUE`);
  const [key, value] = [text.slice(0, cut), text.slice(cut + 1)];
  try {
    return [key, JSON.parse(value)];
  } catch {
    return [key, value];
  }
}

/** Runs a program; what it throws becomes one line. */
export function runMain(main: () => Promise<void>): void {
  main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}
