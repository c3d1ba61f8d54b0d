/** @file What the cells share that merge by adapting to unlabelled images. */
import { z } from "zod";
import type { NamedTensors } from "../checkpoints";
import { defaultWorkerCount, isSingleThreaded, startEngine } from "../engine";
import {
  adaptationTasks,
  createAdaptationWorkers,
  type AdaptationContext,
  type AdaptedMerge,
  type AdaptOn,
  type Coefficients,
  type RunState,
  type StepNumbers,
  type VectorDtype,
} from "../merging/adaptive";
import type { CellContext } from "./cellContext";
import type { MergedModel } from "./mergeModels";
import { storeTaskVectors, type TaskVectors } from "./taskVectors";

/** A model that was merged at test time, with what it takes to merge it again at another scale (`scaledMerge`). */
export interface AdaptedModel extends MergedModel {
  /** λ */
  readonly coefficients: Coefficients;
  /** Factor of each merged element; null without masks. */
  readonly mask: Float32Array | null;
  /** Losses of each step. */
  readonly history: readonly StepNumbers[];
  /** False if an interrupt ended the run early. */
  readonly completed: boolean;
}

/** Parameters of all cells that adapt. */
export interface AdaptationParameters {
  /** Split whose images, without labels, are adapted on; default `adapt`. */
  adaptOn?: AdaptOn | undefined;
  /** What an interrupt gives: `throw` (default) or the result so far; the state is kept either way. */
  whenInterrupted?: "throw" | "return" | undefined;
}

/** Schema of `AdaptationParameters`. */
export const adaptationShape = {
  adaptOn: z
    .enum(["adapt", "test"])
    .default("adapt")
    .describe("split whose images, without labels, are adapted on; test is the papers' habit"),
  whenInterrupted: z
    .enum(["throw", "return"])
    .default("throw")
    .describe("what an interrupt gives: an error, or the result so far; the state is kept either way"),
};

/** What `runAdapted` runs on. */
export interface AdaptationSetting {
  readonly seed: number;
  readonly adaptOn: AdaptOn;
  readonly whenInterrupted: "throw" | "return";
  /** How the method holds task vectors; default float32. */
  readonly vectorDtype?: VectorDtype | undefined;
}

/**
 * Runs a test-time method on task vectors and their tasks' unlabelled images, on as many threads as a run can use. State goes to the cell's
 * checkpoint, so that a killed or interrupted run goes on where it was.
 */
export async function runAdapted<Merge>(
  vectors: TaskVectors,
  { seed, adaptOn, whenInterrupted, vectorDtype = "float32" }: AdaptationSetting,
  { progress, signal, checkpoint }: CellContext,
  merge: (context: AdaptationContext) => Promise<Merge>,
): Promise<Merge> {
  const { config, pretrained, models, heads } = vectors;
  const engine = await startEngine();
  const workers = isSingleThreaded(engine.name) && defaultWorkerCount() > 1 ? await createAdaptationWorkers() : undefined;
  try {
    return await merge({
      config,
      pretrained,
      taskVectors: storeTaskVectors(vectors, vectorDtype),
      tasks: adaptationTasks(
        models.map(({ task }) => task),
        heads,
        adaptOn,
      ),
      seed,
      progress,
      signal,
      whenInterrupted,
      store: { load: () => checkpoint.load<RunState>(), save: (state) => checkpoint.save(state) },
      ...(workers && { workers }),
    });
  } finally {
    await workers?.close();
  }
}

/** A merge as cells give it. */
export function adaptedModel(vectors: TaskVectors, merge: AdaptedMerge, title: string): AdaptedModel {
  const { coefficients, mask, history, completed } = merge;
  return { ...judgedModel(vectors, merge.parameters, title), coefficients, mask, history, completed };
}

/** Merged parameters as a model to evaluate. */
export function judgedModel({ config, models, attacked }: TaskVectors, parameters: NamedTensors, title: string): MergedModel {
  const origins = models.map(({ task, attack, trigger, seed }) => ({ task, attack, trigger, seed }));
  return { config, parameters, models: origins, attacked, title };
}

/** What is said of an unfinished run in its provenance. */
export function unfinishedSteps({ completed, history }: AdaptedModel): { readonly steps: number } | null {
  return completed ? null : { steps: history.length };
}

/** Some lines about an adapted model. */
export function describeAdapted({ title, models, history, completed }: AdaptedModel): string[] {
  const last = Object.entries(history.at(-1) ?? {}).map(([name, value]) => `, ${name} ${Number(value.toPrecision(3))}`);
  return [
    `${title} of ${models.length} models: ${history.length} steps${completed ? "" : ", interrupted"}${last.join("")}`,
    ...models.map(({ task, trigger }) => `  ${task.padEnd(10)}${trigger === null ? "clean" : `backdoored by ${trigger}`}`),
  ];
}
