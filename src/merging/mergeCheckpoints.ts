import { copyFile, readdir, readFile, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { CheckpointSet, openCheckpointSet } from "./checkpointSet";
import { CHECKPOINT_FILES, hashFile, isFloating, writeFolderAtomic, writeOrder, writeSafetensors } from "../checkpoints";
import type { Dtype, TensorSource, TensorValues, WritableTensor } from "../checkpoints";
import { damlabVersion } from "../engine/version";
import { hashFiles } from "./fileHashes";
import type { DataFreeMethod } from "./method";
import { findModelOrigin, type ModelOrigin } from "./modelOrigin";
import type { MergedDtype, MergeRecipe } from "./recipe";
import type { MergeScope } from "./scope";
import { streamMerge, type MergedSlice } from "./streamMerge";

const STORED_DTYPES = { float32: "F32", float16: "F16", bfloat16: "BF16" } as const satisfies Record<MergedDtype, Dtype>;

/** What `run.json` says of a merge. */
export interface MergeRecord {
  readonly verb: "merge";
  readonly recipe: {
    readonly base: string;
    readonly models: readonly string[];
    readonly method: string;
    readonly options: Readonly<Record<string, unknown>>;
    readonly dtype: MergedDtype;
    readonly merge: MergeScope;
    readonly suite?: string;
    readonly seed?: number;
  };
  readonly method: { readonly title: string; readonly reference: string };
  /** Number of merged parameters. */
  readonly parameters: number;
  /** sha256 of every file, by file name. */
  readonly base: { readonly path: string; readonly sha256: Readonly<Record<string, string>> };
  readonly models: readonly (ModelOrigin & { readonly path: string; readonly sha256: Readonly<Record<string, string>> })[];
  /** sha256 of the merged `model.safetensors`. */
  readonly sha256: string;
  readonly engine: string;
  readonly versions: { readonly damlab: string; readonly node: string };
  /** Seconds. */
  readonly timings: { readonly merge: number; readonly total: number };
}

/** Ways to follow and stop a merge. */
export interface MergeCheckpointsOptions {
  /** Stops the merge; the output folder stays as it was. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((fraction: number, title: string) => void) | undefined;
}

/**
 * Merges checkpoints on disk by a data-free method in bounded memory, and writes a folder that `transformers` opens.
 * @param recipe From `parseRecipe()`.
 * @param out Output folder: appears whole or not at all. An earlier output (a folder with `run.json`) is replaced, an empty folder is filled.
 * @returns What was written as `run.json`.
 * @throws {TypeError} if a parameter is missing, unexpected, or of another shape, {Error} if `out` holds other files.
 */
export async function mergeCheckpoints(recipe: MergeRecipe, out: string, options: MergeCheckpointsOptions = {}): Promise<MergeRecord> {
  const { method } = recipe;
  if (method.kind !== "data-free") {
    throw new TypeError(`Cannot merge by "${method.name}" here: expected a data-free method, got a test-time one`);
  }
  const began = performance.now();
  await refuseForeignFolder(out, recipe);
  const set = await openCheckpointSet(recipe);
  const hashing = hashFiles([...new Set([set.stored, ...set.models].flatMap(CheckpointSet.filesOf))]);
  try {
    let record: MergeRecord | undefined;
    await writeFolderAtomic(out, async (folder) => {
      const weights = path.join(folder, CHECKPOINT_FILES.weights);
      await writeMerged(weights, set, recipe, method, options);
      const mergeSeconds = seconds(began);
      await copyConfigs(recipe, folder);
      const hashes = await hashing.hashes;
      const sha256 = await hashFile(weights);
      options.signal?.throwIfAborted();
      record = await describe(recipe, set, hashes, sha256, { merge: mergeSeconds, total: seconds(began) });
      await writeFile(path.join(folder, "run.json"), `${JSON.stringify(record, null, 2)}\n`);
    });
    return record!;
  } finally {
    await hashing.stop();
    await set.close();
  }
}

/** Streams the merged tensors into the file, and the others from the base: floating ones in the output's dtype, integers as they are. */
async function writeMerged(
  file: string,
  { stored, pretrained, models, merged }: CheckpointSet,
  recipe: MergeRecipe,
  method: DataFreeMethod<object>,
  { signal, onProgress }: MergeCheckpointsOptions,
): Promise<void> {
  const dtype = STORED_DTYPES[recipe.dtype];
  const rows = [...stored.tensors.values()].map((entry): WritableTensor => {
    const { name, shape } = entry;
    if (merged.has(name)) return { name, shape, dtype, values: () => takeTensor(stream, entry.elements) };
    if (isFloating(entry.dtype)) return { name, shape, dtype, values: async () => (await stored.readFloat32(name)).values };
    return { name, shape, dtype: entry.dtype, values: () => stored.readBytes(name) };
  });
  const order = writeOrder(rows);
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

async function refuseForeignFolder(out: string, recipe: MergeRecipe): Promise<void> {
  const resolved = path.resolve(out);
  for (const input of [recipe.base, ...recipe.models]) {
    if (input === resolved || input.startsWith(resolved + path.sep)) {
      throw new Error(
        `Cannot write ${JSON.stringify(out)}: expected a folder that holds none of the merged models, got ${JSON.stringify(input)}`,
      );
    }
  }
  const found = await readdir(out).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [] as string[];
    throw new Error(`Cannot write ${JSON.stringify(out)}: expected a folder or nothing at that place, got ${error.code}`);
  });
  if (found.length === 0 || found.includes("run.json")) return;
  throw new Error(
    `Cannot write ${JSON.stringify(out)}: expected an empty folder or an earlier output with run.json, got a folder with other files`,
  );
}

/** Copies what `transformers` reads beside the weights; `config.json` then names the output's dtype. */
async function copyConfigs(recipe: MergeRecipe, folder: string): Promise<void> {
  if (recipe.base.endsWith(".safetensors")) return;
  for (const name of [CHECKPOINT_FILES.config, "preprocessor_config.json"]) {
    await copyFile(path.join(recipe.base, name), path.join(folder, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
  }
  const config = path.join(folder, CHECKPOINT_FILES.config);
  const text = await readFile(config, "utf8").catch(() => undefined);
  if (text === undefined) return;
  const named = text.replace(/("(?:torch_)?dtype"\s*:\s*)"(?:float32|float16|bfloat16|float64)"/g, `$1"${recipe.dtype}"`);
  if (named !== text) await writeFile(config, named);
}

async function describe(
  recipe: MergeRecipe,
  set: CheckpointSet,
  hashes: ReadonlyMap<string, string>,
  sha256: string,
  timings: MergeRecord["timings"],
): Promise<MergeRecord> {
  const { method, options, dtype, suite, seed } = recipe;
  const hashesOf = (source: TensorSource): Record<string, string> =>
    Object.fromEntries(CheckpointSet.filesOf(source).map((file) => [path.basename(file), hashes.get(file)!]));
  const models = await Promise.all(
    recipe.models.map(async (place, index) => {
      const origin = await findModelOrigin(place, recipe.tasks?.[index]);
      return { path: place, ...origin, sha256: hashesOf(set.models[index]!) };
    }),
  );
  return {
    verb: "merge",
    recipe: {
      base: recipe.base,
      models: recipe.models,
      method: method.name,
      options,
      dtype,
      merge: set.scope,
      ...(suite === undefined ? {} : { suite }),
      ...(seed === undefined ? {} : { seed }),
    },
    method: { title: method.title, reference: method.reference },
    parameters: [...set.merged.values()].reduce((sum, { elements }) => sum + elements, 0),
    base: { path: recipe.base, sha256: hashesOf(set.stored) },
    models,
    sha256,
    engine: "plain JavaScript, float32, streamed",
    versions: { damlab: damlabVersion(), node: process.version },
    timings,
  };
}

function seconds(since: number): number {
  return Math.round(performance.now() - since) / 1000;
}
