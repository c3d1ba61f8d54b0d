/** The state of a run on disk, so that a killed run goes on where it was and ends at the same bytes. */
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { openSafetensors, SafetensorsError, writeSafetensors } from "../checkpoints";
import type { AdamState } from "./adam";

/** Where and how often a run saves itself. */
export interface SavedRun {
  /** A safetensors file; its folder exists. Deleted by the caller when the result is safe. */
  readonly file: string;
  /** Steps between two saves. */
  readonly every: number;
  /** Names what is trained, such as a hash of the recipe; a state saved under another key is not used. */
  readonly key: string;
}

/** What a run needs to go on. */
export interface TrainingState {
  readonly parameters: Float32Array;
  readonly adam: AdamState;
}

/** Writes the state atomically. */
export async function saveTrainingState(run: SavedRun, { parameters, adam }: TrainingState): Promise<void> {
  const shape = [parameters.length];
  const rows = Object.entries({ parameters, first: adam.first, second: adam.second });
  await writeSafetensors(
    run.file,
    rows.map(([name, values]) => ({ name, shape, values })),
    { metadata: { key: run.key, step: String(adam.step) } },
  );
}

/** The saved state, or null where there is none of this key and size. An unreadable file is deleted: it saves nothing. */
export async function loadTrainingState(run: SavedRun, length: number): Promise<TrainingState | null> {
  if (!existsSync(run.file)) return null;
  try {
    const source = await openSafetensors(run.file);
    try {
      if (source.metadata.get("key") !== run.key || source.entry("parameters").elements !== length) return null;
      const read = async (name: string): Promise<Float32Array> => (await source.readFloat32(name)).values;
      const adam = { step: Number(source.metadata.get("step")), first: await read("first"), second: await read("second") };
      return { parameters: await read("parameters"), adam };
    } finally {
      await source.close();
    }
  } catch (error) {
    if (!(error instanceof SafetensorsError)) throw error;
    await rm(run.file, { force: true });
    return null;
  }
}
