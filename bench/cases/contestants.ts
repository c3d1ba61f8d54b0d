/** How contestants are started. */
import * as path from "node:path";
import type { Bar, Contestant, OwnContestant } from "../harness/types";

const FOLDER = path.join(__dirname, "..");

/** The Python of the references: environment variable DAMLAB_BENCH_PYTHON, else `python3`. */
export function referencePython(): string {
  return process.env["DAMLAB_BENCH_PYTHON"] || "python3";
}

/** A program of bench/sides that needs no engine, or chooses it itself. */
export function ownPlain(name: string, side: string, words: readonly (string | number)[], bar?: Bar): OwnContestant {
  return {
    name,
    program: process.execPath,
    words: ["--require", "tsx/cjs", path.join(FOLDER, "sides", `${side}.ts`), ...words.map(String)],
    ...(bar && { bar }),
  };
}

/** A program of bench/sides on one engine. */
export function own(engine: "native" | "wasm", side: string, words: readonly (string | number)[], bar?: Bar): OwnContestant {
  return { ...ownPlain(`damlab, ${engine}`, side, words, bar), environment: { DAMLAB_ENGINE: engine } };
}

/** A program of bench/reference. */
export function reference(name: string, file: string, words: readonly (string | number)[]): Contestant {
  return { name, program: referencePython(), words: [path.join(FOLDER, "reference", `${file}.py`), ...words.map(String)] };
}
