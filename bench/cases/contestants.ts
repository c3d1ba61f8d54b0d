/** How contestants are started. */
import { availableParallelism } from "node:os";
import * as path from "node:path";
import type { Bar, Contestant, OwnContestant } from "../harness/types";

const ALL_THREADS = { TF_NUM_INTRAOP_THREADS: String(availableParallelism()) };

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

/** A program of bench/sides on one engine; on `gpu` all of the processor's threads help. */
export function own(engine: "native" | "wasm" | "gpu", side: string, words: readonly (string | number)[], bar?: Bar): OwnContestant {
  return {
    ...ownPlain(`damlab, ${engine}`, side, words, bar),
    environment: { DAMLAB_ENGINE: engine, ...(engine === "gpu" && ALL_THREADS) },
  };
}

/** A program of bench/reference, on the processor or on a GPU. */
export function reference(name: string, file: string, words: readonly (string | number)[], device: "cpu" | "cuda" = "cpu"): Contestant {
  const command = { name, program: referencePython(), words: [path.join(FOLDER, "reference", `${file}.py`), ...words.map(String)] };
  return device === "cpu" ? command : { ...command, environment: { DAMLAB_BENCH_DEVICE: device } };
}
