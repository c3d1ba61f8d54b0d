/** Where the checkpoints lie that merges are measured on; bench/reference/merge.py knows the same. */
import { tmpdir } from "node:os";
import * as path from "node:path";

/** The base first. */
export const MODEL_NAMES = ["base", "mnist", "cars", "resisc45", "eurosat", "svhn", "dtd"] as const;

/** Environment variable DAMLAB_BENCH_MODELS, else a folder below the system's temporary one. */
export function benchModels(): string {
  return process.env["DAMLAB_BENCH_MODELS"] || path.join(tmpdir(), "damlab-bench-models");
}
