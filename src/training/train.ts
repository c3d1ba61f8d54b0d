import { silentProgress, type ProgressSink } from "../display/progress";
import { clipGradient, startAdam, stepAdam, type AdamOptions, type ParameterGroup } from "./adam";
import { loadTrainingState, saveTrainingState, type SavedRun } from "./trainingState";

/** What one step learned. */
export interface StepGradient {
  /** Of the whole parameter vector. */
  readonly gradient: Float32Array;
  /** For the progress display. */
  readonly losses: Readonly<Record<string, number>>;
}

/** A training run: everything that decides its result, and where it reports. */
export interface TrainingRun {
  /** Name in the progress display. */
  readonly name: string;
  /** Parameters before the first step; not changed. */
  readonly parameters: Float32Array;
  readonly steps: number;
  /** Learning rate of a step. */
  learningRate(step: number): number;
  readonly adam?: AdamOptions;
  /** What is trained; default everything, without weight decay. */
  readonly groups?: readonly ParameterGroup[];
  /** Largest Euclidean norm of a step's gradient; default none. */
  readonly clipNorm?: number;
  /** Brings the parameters back, in place, to where they may be; called after each step. */
  project?(parameters: Float32Array): void;
  /** Gradient of one step; depends on the step and the parameters alone, so that a resumed run repeats it. */
  computeGradient(step: number, parameters: Float32Array): StepGradient | Promise<StepGradient>;
}

/** How a run is watched and kept. */
export interface TrainingOptions {
  readonly progress?: ProgressSink;
  readonly signal?: AbortSignal;
  readonly saved?: SavedRun;
}

/**
 * Runs all steps and returns the trained parameters. A run that is aborted saves its state (where it has a file) and throws the signal's
 * reason; the same call goes on from there and ends at the same bytes.
 */
export async function train(run: TrainingRun, { progress = silentProgress, signal, saved }: TrainingOptions = {}): Promise<Float32Array> {
  const state = (saved && (await loadTrainingState(saved, run.parameters.length))) ?? {
    parameters: run.parameters.slice(),
    adam: startAdam(run.parameters.length),
  };
  const { parameters, adam } = state;
  const task = progress.start(run.name, { total: run.steps, step: adam.step });
  let ending = "interrupted";
  try {
    while (adam.step < run.steps) {
      if (signal?.aborted) {
        if (saved) await saveTrainingState(saved, state);
        throw signal.reason;
      }
      const step = adam.step;
      const { gradient, losses } = await run.computeGradient(step, parameters);
      if (run.clipNorm !== undefined) clipGradient(gradient, run.clipNorm);
      stepAdam(parameters, gradient, adam, run.learningRate(step), run.adam, run.groups);
      run.project?.(parameters);
      task.update({ step: adam.step, values: losses });
      if (saved && adam.step % saved.every === 0) await saveTrainingState(saved, state);
    }
    ending = "done";
    return parameters;
  } finally {
    task.finish(ending);
  }
}
