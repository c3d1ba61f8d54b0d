import * as path from "node:path";
import { writeFileAtomic, writeFolderAtomic } from "./atomic";
import { CHECKPOINT_FILES } from "./openTensors";
import type { NamedTensors } from "./tensors";
import { type WritableTensor, writeSafetensors, type WriteSafetensorsOptions } from "./writeSafetensors";

/** What a checkpoint's folder gets. */
export interface CheckpointContent extends WriteSafetensorsOptions {
  /** Content of `config.json`, written as indented JSON. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Values in memory or produced on demand; see `writeSafetensors()`. */
  readonly tensors: NamedTensors | Iterable<WritableTensor>;
  /** Further files by name, such as a preprocessor's configuration or a recipe. */
  readonly extraFiles?: Readonly<Record<string, string | Uint8Array>>;
}

/**
 * Writes a folder in the Hugging Face layout (`config.json`, `model.safetensors`), atomically: it appears whole or not at all, and replaces
 * an existing folder as a whole. `transformers` loads it; the metadata default to `{ format: "pt" }`, which that library asks for.
 * @throws {RangeError} if an extra file's name leads out of the folder or is taken.
 */
export async function writeCheckpoint(folder: string, content: CheckpointContent): Promise<void> {
  const { config, tensors, extraFiles = {}, metadata = { format: "pt" }, ...options } = content;
  const taken: string[] = Object.values(CHECKPOINT_FILES);
  for (const name of Object.keys(extraFiles)) {
    if (name === "" || taken.includes(name) || path.basename(name) !== name || name === "." || name === "..") {
      throw new RangeError(`Cannot write extra file ${JSON.stringify(name)}: expected a plain file name that the checkpoint does not use`);
    }
  }
  await writeFolderAtomic(folder, async (temporary) => {
    await writeFileAtomic(path.join(temporary, CHECKPOINT_FILES.config), `${JSON.stringify(config, null, 2)}\n`);
    for (const [name, text] of Object.entries(extraFiles)) await writeFileAtomic(path.join(temporary, name), text);
    await writeSafetensors(path.join(temporary, CHECKPOINT_FILES.weights), tensors, { metadata, ...options });
  });
}
