import { Checkpoint, isBuffer, isFloating, openCheckpoint, openTensors, type TensorEntry, type TensorSource } from "../checkpoints";
import type { OpenFile } from "./files/hashFiles";
import { checkShape, unexpectedParameter } from "./mergeParameters";
import type { MergeRecipe } from "./recipe";
import { isMerged, type MergeScope } from "./scope";

/** The opened checkpoints of a recipe, found to fit together. Close it when done. */
export class CheckpointSet {
  constructor(
    readonly scope: MergeScope,
    /** Everything that the base stores, under the names that it stores. */
    readonly stored: TensorSource,
    /** θ₀ under the names by which models are matched. */
    readonly pretrained: TensorSource,
    readonly models: readonly TensorSource[],
    /** Entries of the merged parameters in `pretrained`, by the name that the base stores. */
    readonly merged: ReadonlyMap<string, TensorEntry>,
  ) {}

  /** Files behind the base or a model. */
  static filesOf(source: TensorSource): string[] {
    return [...new Set([...source.tensors.values()].map((entry) => entry.file))];
  }

  /** All files of the base and the models, open, each once. */
  files(): OpenFile[] {
    const files = new Map<string, OpenFile>();
    for (const source of [this.stored, ...this.models]) {
      for (const { name, file } of source.tensors.values()) {
        if (!files.has(file)) files.set(file, { path: file, descriptor: source.place(name).descriptor });
      }
    }
    return [...files.values()];
  }

  async close(): Promise<void> {
    for (const source of new Set([this.stored, this.pretrained, ...this.models])) await source.close();
  }
}

/**
 * Opens a recipe's checkpoints and checks that every model has the base's merged parameters, and no others. With `vision`, prefixes of
 * wrappers are resolved; with `all`, names must be equal.
 * @throws {TypeError} naming the first parameter that is missing, unexpected, or of another shape, and the model.
 */
export async function openCheckpointSet(recipe: MergeRecipe): Promise<CheckpointSet> {
  const scope = recipe.merge ?? (recipe.base.endsWith(".safetensors") ? "all" : "vision");
  const opened: TensorSource[] = [];
  const open = async (place: string): Promise<TensorSource> => {
    const source = scope === "vision" ? await openCheckpoint(place) : await openTensors(place);
    opened.push(source);
    return source;
  };
  try {
    const pretrained = await open(recipe.base);
    const models: TensorSource[] = [];
    for (const place of recipe.models) models.push(await open(place));
    const merged = new Map<string, TensorEntry>();
    for (const entry of mergedEntries(pretrained, scope)) {
      merged.set(pretrained instanceof Checkpoint ? pretrained.storedName(entry.name) : entry.name, entry);
    }
    if (merged.size === 0) throw nothingToMerge(recipe.base, scope);
    for (const [index, model] of models.entries()) checkModel(pretrained, model, JSON.stringify(recipe.models[index]), scope);
    const stored = scope === "vision" ? await openTensors(recipe.base) : pretrained;
    return new CheckpointSet(scope, stored, pretrained, models, merged);
  } catch (error) {
    for (const source of opened) await source.close();
    throw error;
  }
}

function mergedEntries(source: TensorSource, scope: MergeScope): TensorEntry[] {
  const mergeable = (entry: TensorEntry): boolean => (scope === "vision" ? !isBuffer(entry) : isFloating(entry.dtype));
  return [...source.tensors.values()].filter((entry) => mergeable(entry) && isMerged(entry.name, scope));
}

function checkModel(pretrained: TensorSource, model: TensorSource, label: string, scope: MergeScope): void {
  for (const { name, shape } of mergedEntries(pretrained, scope)) checkShape(name, shape, model.tensors.get(name)?.shape, label);
  for (const { name } of mergedEntries(model, scope)) if (!pretrained.tensors.has(name)) throw unexpectedParameter(name, label);
}

function nothingToMerge(base: string, scope: MergeScope): TypeError {
  const remedy = scope === "vision" ? ' named "vision_model.…", got none; "merge: all" merges every floating tensor' : ", got none";
  return new TypeError(`Cannot merge ${JSON.stringify(base)}: expected floating tensors${remedy}`);
}
