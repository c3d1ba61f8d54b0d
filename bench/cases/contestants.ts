/** How contestants are started. */
import * as path from "node:path";
import type { Bar, Contestant, OwnContestant } from "../harness/types";

const FOLDER = path.join(__dirname, "..");

/** The Python of the references: environment variable DAMLAB_BENCH_PYTHON, else `python3`. */
export function referencePython(): string {
  return process.env["DAMLAB_BENCH_PYTHON"] || "python3";
}

/** A program of bench/sides on one engine. */
export function own(
  engine: "native" | "wasm",
  side: string,
  words: readonly (string | number)[],
  bar?: Bar,
  name = `damlab, ${engine}`,
): OwnContestant {
  return {
    name,
    program: process.execPath,
    words: ["--require", "tsx/cjs", path.join(FOLDER, "sides", `${side}.ts`), ...words.map(String)],
    environment: { DAMLAB_ENGINE: engine },
    ...(bar && { bar }),
  };
}

/** A program of bench/reference. */
export function reference(name: string, file: string, words: readonly (string | number)[]): Contestant {
  return { name, program: referencePython(), words: [path.join(FOLDER, "reference", `${file}.py`), ...words.map(String)] };
}
