/** Test-time merges of checkpoints on disk. */
import { createHash } from "node:crypto";
import type { NamedTensors } from "../checkpoints";
import type { ProgressSink } from "../display/progress";
import { defaultWorkerCount, isSingleThreaded, startEngine, type EngineReport } from "../engine";
import { damlabVersion } from "../engine/version";
import { loadVisionModel } from "../models";
import { isTaskId, TASK_IDS } from "../tasks";
import {
  allocateTaskVectors,
  createAdaptationWorkers,
  fileStore,
  fillTensor,
  loadSuiteTasks,
  vectorDtypeOf,
  type AdaptationContext,
  type AdaptedMerge,
  type StoredVector,
  type SuiteTasks,
  type VectorDtype,
} from "./adaptive";
import type { CheckpointSet } from "./checkpointSet";
import type { AdaptationRecord } from "./mergeRecord";
import type { TestTimeMethod } from "./method";
import { findModelOrigin } from "./modelOrigin";
import type { MergeRecipe } from "./recipe";
import { isMerged } from "./scope";

/** How a run is followed, stopped and kept. */
export interface AdaptCheckpointsOptions {
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ProgressSink | undefined;
  /** Keeps the state of an unfinished run. */
  readonly stateFile: string;
}

/** A merge at test time, ready to be written. */
export interface AdaptedCheckpoints {
  readonly parameters: NamedTensors;
  /** Such as `wasm 4.22.0, float32`. */
  readonly engine: string;
  readonly record: AdaptationRecord;
  /** To be removed when the merge is written. */
  readonly stateFile: string;
}

/**
 * Runs a test-time method: task vectors as its option `vectorDtype` says, unlabelled images of the recipe's suite, on as many threads as a run can use. State is
 * kept every few steps and after an interrupt; a run of the same recipe, files and engine goes on from it to the same bytes.
 * @param hashes sha256 of the checkpoints' files.
 * @throws {RangeError} if a model's task is not one of the suite; the signal's reason after an interrupt.
 */
export async function adaptCheckpoints(
  recipe: MergeRecipe,
  set: CheckpointSet,
  hashes: ReadonlyMap<string, string>,
  { signal, progress, stateFile }: AdaptCheckpointsOptions,
): Promise<AdaptedCheckpoints> {
  const { options, suite = "desk", seed = 0, adaptOn = "adapt" } = recipe;
  const method = recipe.method as TestTimeMethod<object, AdaptationContext, AdaptedMerge>;
  const names = await findTasks(recipe);
  const { config, parameters: pretrained } = await loadVisionModel(recipe.base);
  const { tasks, headHashes } = await loadSuiteTasks(suite, names, adaptOn);
  const engine = await startEngine();
  const taskVectors = await readTaskVectors(set, pretrained, vectorDtypeOf(options));
  const key = sha256Of([method.name, options, seed, adaptOn, names, headHashes, [...hashes.values()], engine, damlabVersion()]);
  const workers = isSingleThreaded(engine.name) && defaultWorkerCount() > 1 ? await createAdaptationWorkers() : undefined;
  try {
    const context: AdaptationContext = {
      config,
      pretrained,
      taskVectors,
      tasks,
      seed,
      store: fileStore(stateFile, key),
      ...(workers && { workers }),
      ...(signal && { signal }),
      ...(progress && { progress }),
    };
    const merged = await method.merge(context, options);
    return {
      parameters: merged.parameters,
      engine: describeEngine(engine),
      record: recordAdaptation({ tasks, headHashes }, merged),
      stateFile,
    };
  } finally {
    await workers?.close();
  }
}

/** The task of each model, one of the desk suite's. */
async function findTasks({ method, models, tasks }: MergeRecipe): Promise<string[]> {
  const origins = await Promise.all(models.map((place, index) => findModelOrigin(place, tasks?.[index])));
  return origins.map(({ task, taskFrom }, index) => {
    if (isTaskId(task)) return task;
    const place = JSON.stringify(models[index]);
    throw new RangeError(
      `Cannot merge ${place} by "${method.name}": expected its task to be one of ${TASK_IDS.join(", ")}, got "${task}" from its ${taskFrom}; ` +
        `the recipe may say "tasks: [...]", one a model`,
    );
  });
}

/** τ of the merged parameters of each model; one tensor at a time is in memory twice. */
async function readTaskVectors({ merged, models }: CheckpointSet, pretrained: NamedTensors, dtype: VectorDtype): Promise<StoredVector[]> {
  const names = [...merged.values()].map(({ name }) => name);
  const shapes = names.map((name) => [name, pretrained.get(name)!.shape] as const);
  const vectors = allocateTaskVectors(shapes, models.length, dtype);
  for (const [index, model] of models.entries()) {
    for (const name of names) {
      const { values } = await model.readFloat32(name);
      const origin = pretrained.get(name)!.values;
      for (let i = 0; i < values.length; i++) values[i] = values[i]! - origin[i]!;
      fillTensor(vectors[index]!.get(name)!, values);
    }
  }
  return vectors;
}

function recordAdaptation(
  { tasks, headHashes }: SuiteTasks,
  { parameters, coefficients, history, findings }: AdaptedMerge,
): AdaptationRecord {
  const { granularity, values } = coefficients;
  const width = values.length / tasks.length;
  return {
    images: Object.fromEntries(tasks.map(({ name, images }) => [name, images.count])),
    heads: headHashes,
    coefficients: {
      granularity,
      parameters: [...parameters.keys()].filter((name) => isMerged(name, "vision")),
      values: tasks.map((_, task) => [...values.subarray(task * width, (task + 1) * width)]),
    },
    losses: history,
    ...(findings && { findings }),
  };
}

function describeEngine({ name, version }: EngineReport): string {
  return `${name}${version === null ? "" : ` ${version}`}, float32`;
}

function sha256Of(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}
