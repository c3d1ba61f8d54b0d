import { stat } from "node:fs/promises";
import * as path from "node:path";
import { quote } from "./errors";
import { openSafetensors, type SafetensorsFiles } from "./safetensorsFile";
import { openSharded } from "./sharded";

/** Names of a checkpoint's files in the Hugging Face layout. */
export const CHECKPOINT_FILES = {
  config: "config.json",
  weights: "model.safetensors",
  index: "model.safetensors.index.json",
} as const;

/**
 * Opens the tensors of a safetensors file, of an index of shards (`….index.json`), or of a folder that holds `model.safetensors` or
 * `model.safetensors.index.json`; names are as stored.
 * @throws {SafetensorsError} if a file is malformed.
 * @throws {Error} if there is no such file or folder, or the folder holds no weights.
 */
export async function openTensors(place: string): Promise<SafetensorsFiles> {
  const entry = await stat(place).catch(() => undefined);
  if (entry === undefined)
    throw new Error(`Cannot open ${quote(place, Infinity)}: expected a checkpoint's file or folder, got no such file`);
  if (!entry.isDirectory()) return place.endsWith(".json") ? openSharded(place) : openSafetensors(place);
  const weights = path.join(place, CHECKPOINT_FILES.weights);
  const index = path.join(place, CHECKPOINT_FILES.index);
  if (await exists(weights)) return openSafetensors(weights);
  if (await exists(index)) return openSharded(index);
  throw new Error(
    `Cannot open ${quote(place, Infinity)}: expected ${CHECKPOINT_FILES.weights} or ${CHECKPOINT_FILES.index} in the folder, got neither`,
  );
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
