/** @file Predictions of one model on many tasks: in this process, or split over worker threads by task. */
import * as path from "node:path";
import type { Trigger } from "../attacks/trigger";
import type { NamedTensors } from "../checkpoints";
import { createWorkers, type Workers } from "../engine";
import type { VisionConfig } from "../models/config";
import { disposeParameters, uploadParameters } from "../models/parameters";
import type { ZeroShotHead } from "../models/zeroShot";
import type { ImageSet } from "../tasks";
import { loadImages, prepareImages, type DeskImages } from "./images";
import { predictTask } from "./predictTask";
import type { TaskPredictions } from "./report";

/** A model in plain memory. */
export interface HostModel {
  readonly config: VisionConfig;
  readonly parameters: NamedTensors;
}

/** One task to judge a model on. */
export interface EvaluationTask {
  readonly id: string;
  readonly head: ZeroShotHead;
  /** Images in memory, or a split of a desk task, which is then drawn by whoever needs it first. */
  readonly images: ImageSet | DeskImages;
  /** Triggers to paste into this task's images, each in a pass of its own. */
  readonly triggers: readonly Trigger[];
}

/** How predictions are computed. */
export interface PredictOptions {
  /** Threads from `createEvaluationWorkers()`; default: everything is computed in this process. The predictions are the same. */
  readonly workers?: Workers | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called now and then with the number of images that have gone through the tower, of `total`. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Starts threads that evaluate; close them when done. */
export function createEvaluationWorkers(count?: number): Promise<Workers> {
  return createWorkers(path.join(__dirname, `predictWorker${path.extname(__filename)}`), count === undefined ? {} : { count });
}

/**
 * Predicted classes of a model, task by task.
 * @returns By task id, in the order given.
 * @throws the signal's reason when it is aborted; what `predictTask()` throws.
 */
export async function predictModel(
  model: HostModel,
  tasks: readonly EvaluationTask[],
  options: PredictOptions = {},
): Promise<Map<string, TaskPredictions<Int32Array>>> {
  const { workers, signal, onProgress } = options;
  signal?.throwIfAborted();
  const total = tasks.reduce((sum, { images, triggers }) => sum + images.count * (1 + triggers.length), 0);
  const report = (done: number): void => onProgress?.(done, total);
  const run = workers === undefined ? predictHere : predictOnWorkers(workers);
  const predictions = await run(model, tasks, signal, report);
  report(total);
  return new Map(tasks.map(({ id }, index) => [id, predictions[index]!]));
}

type Run = (
  model: HostModel,
  tasks: readonly EvaluationTask[],
  signal: AbortSignal | undefined,
  report: (done: number) => void,
) => Promise<TaskPredictions<Int32Array>[]>;

const predictHere: Run = async (model, tasks, signal, report) => {
  const parameters = uploadParameters(model.parameters);
  let done = 0;
  try {
    const predictions: TaskPredictions<Int32Array>[] = [];
    for (const { images, head, triggers } of tasks) {
      const onImages = async (count: number): Promise<void> => {
        report((done += count));
        // Timers and signals have their turn between batches.
        await new Promise((resolve) => setImmediate(resolve));
        signal?.throwIfAborted();
      };
      predictions.push(await predictTask(parameters, model.config, { images: loadImages(images), head }, triggers, { onImages }));
    }
    return predictions;
  } finally {
    disposeParameters(parameters);
  }
};

/** What a worker gets. `control` is shared: images done so far, and whether to stop. */
export interface PredictRequest {
  readonly model: HostModel;
  readonly task: EvaluationTask;
  readonly control: Int32Array;
}

function predictOnWorkers(workers: Workers): Run {
  return async (model, tasks, signal, report) => {
    const control = new Int32Array(new SharedArrayBuffer(8));
    const stop = (): void => void Atomics.store(control, 1, 1);
    const timer = setInterval(() => report(Atomics.load(control, 0)), 100);
    signal?.addEventListener("abort", stop);
    try {
      // The longest tasks first, so that the threads end together.
      const order = tasks.map((_, index) => index).sort((a, b) => passes(tasks[b]!) - passes(tasks[a]!) || a - b);
      const predictions: TaskPredictions<Int32Array>[] = [];
      const running = order.map(async (index) => {
        const task = { ...tasks[index]!, images: prepareImages(tasks[index]!.images) };
        const request: PredictRequest = { model, task, control };
        predictions[index] = await workers.run<TaskPredictions<Int32Array>>("predictPiece", request);
      });
      const settled = await Promise.allSettled(
        running.map((promise) => promise.catch((error: unknown) => (stop(), Promise.reject(error)))),
      );
      signal?.throwIfAborted();
      // A failure stops the others too: the first one in order that isn't a consequence is the cause.
      const failures = settled.flatMap((result): unknown[] => (result.status === "rejected" ? [result.reason] : []));
      const cause = failures.find((error) => !(error instanceof Error && error.message === STOPPED)) ?? failures[0];
      if (cause !== undefined) throw cause;
      return predictions;
    } finally {
      clearInterval(timer);
      signal?.removeEventListener("abort", stop);
    }
  };
}

/** Message of a worker that was asked to stop. */
export const STOPPED = "Stopped";

function passes({ images, triggers }: EvaluationTask): number {
  return images.count * (1 + triggers.length);
}
