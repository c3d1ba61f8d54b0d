/** The folder that a merge leaves behind. */
import { copyFile, readdir, readFile, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { CHECKPOINT_FILES, isFloating, type Dtype, type TensorContent, type TensorEntry, type WritableTensor } from "../checkpoints";
import type { CheckpointSet } from "./checkpointSet";
import type { MergedDtype, MergeRecipe } from "./recipe";

/** What the output's dtypes are called in files. */
export const STORED_DTYPES = { float32: "F32", float16: "F16", bfloat16: "BF16" } as const satisfies Record<MergedDtype, Dtype>;

/**
 * What the merged file holds: merged tensors, and the others from the base, floating ones in the output's dtype, integers as they are.
 * @param valuesOf Values of a merged tensor, asked for in the file's order; the entry is the one in `pretrained`.
 */
export function mergedRows(
  { stored, merged }: CheckpointSet,
  dtypeName: MergedDtype,
  valuesOf: (entry: TensorEntry) => TensorContent,
): WritableTensor[] {
  const dtype = STORED_DTYPES[dtypeName];
  return [...stored.tensors.values()].map((entry): WritableTensor => {
    const { name, shape } = entry;
    const own = merged.get(name);
    if (own !== undefined) return { name, shape, dtype, values: () => valuesOf(own) };
    if (isFloating(entry.dtype)) return { name, shape, dtype, values: async () => (await stored.readFloat32(name)).values };
    return { name, shape, dtype: entry.dtype, values: () => stored.readBytes(name) };
  });
}

/**
 * Looks whether a merge may be written there.
 * @throws {Error} if the place is a file, holds files that no merge has written, or holds what is merged.
 */
export async function refuseForeignFolder(out: string, recipe: MergeRecipe): Promise<void> {
  const resolved = path.resolve(out);
  for (const input of [recipe.base, ...recipe.models]) {
    if (input === resolved || input.startsWith(resolved + path.sep)) {
      throw new Error(
        `Cannot write ${JSON.stringify(out)}: expected a folder that holds none of the merged models, got ${JSON.stringify(input)}`,
      );
    }
  }
  await refuseForeignOutput(out);
}

/**
 * Looks whether a place holds an earlier output, an empty folder, or nothing.
 * @throws {Error} if it is a file, or a folder with other files.
 */
export async function refuseForeignOutput(out: string): Promise<void> {
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
export async function copyConfigs(recipe: MergeRecipe, folder: string): Promise<void> {
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
