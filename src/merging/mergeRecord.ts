import * as path from "node:path";
import type { TensorSource } from "../checkpoints";
import { damlabVersion } from "../engine/version";
import type { AdaptOn } from "./adaptive/suiteTasks";
import { CheckpointSet } from "./checkpointSet";
import type { KnownHash } from "./files/hashCache";
import { findModelOrigin, type ModelOrigin } from "./modelOrigin";
import type { MergedDtype, MergeRecipe } from "./recipe";
import type { MergeScope } from "./scope";

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
    readonly adaptOn?: AdaptOn;
  };
  readonly method: { readonly title: string; readonly reference: string };
  /** Number of merged parameters. */
  readonly parameters: number;
  readonly base: { readonly path: string } & FileRecord;
  readonly models: readonly (ModelOrigin & { readonly path: string } & FileRecord)[];
  /** Of test-time methods only. */
  readonly adaptation?: AdaptationRecord;
  /** sha256 of the merged `model.safetensors`. */
  readonly sha256: string;
  readonly engine: string;
  readonly versions: { readonly damlab: string; readonly node: string };
  /** Seconds; of what this process did, where a run was resumed. */
  readonly timings: { readonly merge: number; readonly total: number };
}

/** The files of a checkpoint, by file name. */
export interface FileRecord {
  /** Of the content. */
  readonly sha256: Readonly<Record<string, string>>;
  /** When the hash was taken from the file's bytes, ISO 8601: earlier than the merge where the file has not changed since then. */
  readonly hashed: Readonly<Record<string, string>>;
}

/** What was adapted on, and how it went. */
export interface AdaptationRecord {
  /** Unlabelled images by task. */
  readonly images: Readonly<Record<string, number>>;
  /** sha256 of the zero-shot heads by task, as the suite's list says. */
  readonly heads: Readonly<Record<string, string>>;
  readonly coefficients: {
    readonly granularity: "task" | "layer";
    /** Merged parameters in order; layer-wise coefficients are theirs. */
    readonly parameters: readonly string[];
    /** λ, one row a model: one number, or one a merged parameter. */
    readonly values: readonly (readonly number[])[];
  };
  /** Numbers of each step. */
  readonly losses: readonly Readonly<Record<string, number>>[];
  /** What else the method found, such as purification's suspects. */
  readonly findings?: Readonly<Record<string, unknown>>;
}

/** What is known of a merge when it is done. */
export interface MergeFacts extends Pick<MergeRecord, "sha256" | "engine" | "timings"> {
  /** Hashes of the files that were read, by their path. */
  readonly hashes: ReadonlyMap<string, KnownHash>;
  readonly adaptation: AdaptationRecord | undefined;
}

/** Makes the record of a merge. */
export async function describeMerge(recipe: MergeRecipe, set: CheckpointSet, facts: MergeFacts): Promise<MergeRecord> {
  const { method, options, dtype, suite, seed, adaptOn } = recipe;
  const { hashes, adaptation, sha256, engine, timings } = facts;
  const filesOf = (source: TensorSource): FileRecord => {
    const files = CheckpointSet.filesOf(source).map((file) => [path.basename(file), hashes.get(file)!] as const);
    return {
      sha256: Object.fromEntries(files.map(([name, { sha256 }]) => [name, sha256])),
      hashed: Object.fromEntries(files.map(([name, { hashed }]) => [name, hashed])),
    };
  };
  const models = await Promise.all(
    recipe.models.map(async (place, index) => {
      const origin = await findModelOrigin(place, recipe.tasks?.[index]);
      return { path: place, ...origin, ...filesOf(set.models[index]!) };
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
      ...(suite !== undefined && { suite }),
      ...(seed !== undefined && { seed }),
      ...(adaptOn !== undefined && { adaptOn }),
    },
    method: { title: method.title, reference: method.reference },
    parameters: [...set.merged.values()].reduce((sum, { elements }) => sum + elements, 0),
    base: { path: recipe.base, ...filesOf(set.stored) },
    models,
    ...(adaptation && { adaptation }),
    sha256,
    engine,
    versions: { damlab: damlabVersion(), node: process.version },
    timings,
  };
}
