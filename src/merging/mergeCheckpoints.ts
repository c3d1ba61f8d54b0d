import { rm, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { CHECKPOINT_FILES, hashFile, writeFolderAtomic, writeOrder, writeSafetensors, type TensorValues } from "../checkpoints";
import type { ProgressSink } from "../display/progress";
import { adaptCheckpoints, type AdaptedCheckpoints } from "./adaptCheckpoints";
import { openCheckpointSet, type CheckpointSet } from "./checkpointSet";
import { FileHashes } from "./files/hashFiles";
import { mergeThreads, type MergeThreads } from "./files/mergeThreads";
import { writeMerged } from "./files/writeMerged";
import { copyConfigs, mergedRows, refuseForeignFolder } from "./mergedFolder";
import { describeMerge, type MergeRecord } from "./mergeRecord";
import type { DataFreeMethod } from "./method";
import type { MergeRecipe } from "./recipe";
import { streamMerge, type MergedSlice } from "./streamMerge";

/** Ways to follow and stop a merge. */
export interface MergeCheckpointsOptions {
  /** Stops the merge; the output folder stays as it was. A test-time method leaves its state beside it, from which the next call goes on. */
  readonly signal?: AbortSignal | undefined;
  /** How far a data-free method is. */
  readonly onProgress?: ((fraction: number, title: string) => void) | undefined;
  /** Whether the models' files are hashed even where they have not changed since damlab hashed them before; default false. */
  readonly rehash?: boolean | undefined;
  /** How far a test-time method is. */
  readonly progress?: ProgressSink | undefined;
}

/**
 * Merges checkpoints on disk and writes a folder that `transformers` opens: by a data-free method in bounded memory, by a test-time method
 * with all models in memory.
 * @param recipe From `parseRecipe()`.
 * @param out Output folder: appears whole or not at all. An earlier output (a folder with `run.json`) is replaced, an empty folder is filled.
 * @returns What was written as `run.json`.
 * @throws {TypeError} if a parameter is missing, unexpected, or of another shape, {RangeError} if a model's task is not one of the suite,
 *   {Error} if `out` holds other files.
 */
export async function mergeCheckpoints(recipe: MergeRecipe, out: string, options: MergeCheckpointsOptions = {}): Promise<MergeRecord> {
  const { method } = recipe;
  const began = performance.now();
  await refuseForeignFolder(out, recipe);
  const set = await openCheckpointSet(recipe);
  const files = set.files();
  const threads = mergeThreads(FileHashes.bytes(files));
  const hashing = new FileHashes(files, threads, options.rehash);
  const stop = (): void => void hashing.stop();
  options.signal?.addEventListener("abort", stop);
  try {
    let adapted: AdaptedCheckpoints | undefined;
    if (method.kind === "test-time") {
      const hashes = new Map(Array.from(await hashing.take(), ([file, { sha256 }]) => [file, sha256]));
      adapted = await adaptCheckpoints(recipe, set, hashes, { ...options, stateFile: `${path.resolve(out)}.state.safetensors` });
    }
    let record: MergeRecord | undefined;
    await writeFolderAtomic(out, async (folder) => {
      const weights = path.join(folder, CHECKPOINT_FILES.weights);
      const written =
        method.kind === "data-free"
          ? await writeDataFree(weights, set, recipe, method, { ...options, threads, hashing })
          : await writeInMemory(weights, set, recipe, adapted!);
      await copyConfigs(recipe, folder);
      const hashes = await hashing.take();
      options.signal?.throwIfAborted();
      record = await describeMerge(recipe, set, {
        hashes,
        ...written,
        adaptation: adapted?.record,
        timings: { merge: seconds(began, written.ended), total: seconds(began) },
      });
      await writeFile(path.join(folder, "run.json"), `${JSON.stringify(record, null, 2)}\n`);
    });
    if (adapted) await rm(adapted.stateFile, { force: true });
    return record!;
  } finally {
    options.signal?.removeEventListener("abort", stop);
    await hashing.stop();
    await set.close();
  }
}

/** A written file. */
interface Written {
  readonly sha256: string;
  readonly engine: string;
  /** When the last parameter was merged. */
  readonly ended: number;
}

interface DataFreeOptions extends MergeCheckpointsOptions {
  readonly threads: MergeThreads;
  readonly hashing: FileHashes;
}

/** By threads and compiled functions where the method has a compiled form, else by its kernel. The models' files are hashed after that. */
async function writeDataFree(
  file: string,
  set: CheckpointSet,
  recipe: MergeRecipe,
  method: DataFreeMethod<object>,
  { hashing, ...options }: DataFreeOptions,
): Promise<Written> {
  const { compiled } = method.kernel(recipe.options, set.models.length);
  let ended = 0;
  if (compiled === undefined) {
    await writeStreamed(file, set, recipe, method, options);
    ended = performance.now();
    return { sha256: await hashFile(file), engine: "plain JavaScript, float32, streamed", ended };
  }
  const hash = (descriptor: number, bytes: number): Promise<string> => {
    ended = performance.now();
    return hashing.takeBeside({ descriptor, bytes });
  };
  const sha256 = await writeMerged(file, set, compiled, { ...options, dtype: recipe.dtype, hash });
  return { sha256, engine: "WebAssembly SIMD, float32, streamed", ended };
}

/** Streams the merged tensors into the file. */
async function writeStreamed(
  file: string,
  set: CheckpointSet,
  recipe: MergeRecipe,
  method: DataFreeMethod<object>,
  { signal, onProgress }: MergeCheckpointsOptions,
): Promise<void> {
  const { pretrained, models, merged } = set;
  const order = writeOrder(mergedRows(set, recipe.dtype, ({ elements }) => takeTensor(stream, elements)));
  const stream = streamMerge({
    kernel: method.kernel(recipe.options, models.length),
    tensors: order.filter(({ name }) => merged.has(name)).map(({ name }) => merged.get(name)!),
    pretrained,
    models,
    signal,
    onProgress,
  });
  try {
    await writeSafetensors(file, order, { metadata: { format: "pt" } });
  } finally {
    await stream.return();
  }
}

/** The next tensor's slices from the stream, which goes on afterwards. */
async function* takeTensor(stream: AsyncGenerator<MergedSlice, void>, elements: number): AsyncGenerator<TensorValues, void> {
  let taken = 0;
  do {
    const { value } = await stream.next();
    if (value === undefined) return;
    taken += value.values.length;
    yield value.values;
  } while (taken < elements);
}

async function writeInMemory(file: string, set: CheckpointSet, recipe: MergeRecipe, adapted: AdaptedCheckpoints): Promise<Written> {
  const { parameters, engine } = adapted;
  const rows = mergedRows(set, recipe.dtype, ({ name }) => parameters.get(name)!.values);
  await writeSafetensors(file, writeOrder(rows), { metadata: { format: "pt" } });
  const ended = performance.now();
  return { sha256: await hashFile(file), engine, ended };
}

function seconds(since: number, until = performance.now()): number {
  return Math.round(until - since) / 1000;
}
