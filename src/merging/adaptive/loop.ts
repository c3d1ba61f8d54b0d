/**
 * @file The loop of methods that train several things in turn: it shows progress, stops when asked to, saves all variables with the optimiser's
 * moments, and goes on from there to the same bytes.
 */
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { openSafetensors, SafetensorsError, writeSafetensors } from "../../checkpoints";
import { silentProgress, type ProgressSink } from "../../display/progress";
import { startAdam, stepAdam, type AdamState } from "../../training";

/** Something that is trained: coefficients, mask logits, perturbations. */
export interface Variable {
  readonly values: Float32Array;
  readonly adam: AdamState;
}

/** A variable before its first step; takes over the array. */
export function startVariable(values: Float32Array): Variable {
  return { values, adam: startAdam(values.length) };
}

/** A variable that is saved with the others but has no optimiser, such as what a finished stage found. */
export function keepVariable(values: Float32Array): Variable {
  return { values, adam: startAdam(0) };
}

/** One step of Adam, in place, with PyTorch's defaults. */
export function stepVariable({ values, adam }: Variable, gradient: Float32Array, learningRate: number): void {
  stepAdam(values, gradient, adam, learningRate);
}

/** Makes the next step of Adam its first. */
export function resetOptimiser({ adam }: Variable): void {
  adam.step = 0;
  adam.first.fill(0);
  adam.second.fill(0);
}

/** A loop's whole state as plain data. */
export interface RunState {
  /** Steps done. */
  readonly step: number;
  /** Adam's step counts. */
  readonly adamSteps: Readonly<Record<string, number>>;
  /** Values and moments. */
  readonly arrays: Readonly<Record<string, Float32Array>>;
  /** Numbers of each step done. */
  readonly history: readonly StepNumbers[];
}

/** Numbers of one step that are worth watching, such as losses. */
export type StepNumbers = Readonly<Record<string, number>>;

/** Keeps the state of one run; `damlab`'s cells and files both fit. */
export interface RunStore {
  /** The last state that was saved; null at the beginning. */
  load(): Promise<RunState | null>;
  save(state: RunState): Promise<void>;
}

/**
 * Keeps a run's state in a safetensors file.
 * @param key Names what is run, such as a hash of its settings; a state saved under another key is not used.
 */
export function fileStore(file: string, key: string): RunStore {
  return {
    async save({ step, adamSteps, arrays, history }) {
      const rows = Object.entries(arrays).map(([name, values]) => ({ name, shape: [values.length], values }));
      const metadata = { key, step: String(step), adamSteps: JSON.stringify(adamSteps), history: JSON.stringify(history) };
      await writeSafetensors(file, rows, { metadata });
    },
    async load() {
      if (!existsSync(file)) return null;
      try {
        const source = await openSafetensors(file);
        try {
          if (source.metadata.get("key") !== key) return null;
          const arrays: Record<string, Float32Array> = {};
          for (const name of source.tensors.keys()) arrays[name] = (await source.readFloat32(name)).values;
          const adamSteps = JSON.parse(source.metadata.get("adamSteps")!) as Record<string, number>;
          const history = JSON.parse(source.metadata.get("history") ?? "[]") as StepNumbers[];
          return { step: Number(source.metadata.get("step")), adamSteps, arrays, history };
        } finally {
          await source.close();
        }
      } catch (error) {
        // An unreadable file saves nothing.
        if (!(error instanceof SafetensorsError)) throw error;
        await rm(file, { force: true });
        return null;
      }
    },
  };
}

/** How a run is watched, kept and stopped. */
export interface RunOptions {
  readonly progress?: ProgressSink;
  readonly signal?: AbortSignal;
  readonly store?: RunStore;
  /** Steps between two saves; default 25. */
  readonly saveEvery?: number;
  /** After an interrupt: throw the signal's reason (default), or give the result so far. The state is saved either way. */
  readonly whenInterrupted?: "throw" | "return";
}

/** A loop to run. */
export interface Loop {
  /** Name in the progress display. */
  readonly name: string;
  readonly steps: number;
  readonly variables: Readonly<Record<string, Variable>>;
  /** One step, 0, 1, …: changes the variables, depends on them and on the step alone. Returns numbers worth watching. */
  step(step: number): Promise<StepNumbers>;
}

/** Numbers of each step, those before a resumption included, and how many steps are done in all. */
export interface LoopResult {
  readonly history: readonly StepNumbers[];
  readonly steps: number;
  readonly completed: boolean;
}

/** Runs a loop to its end, or until it is interrupted. */
export async function runLoop(loop: Loop, options: RunOptions = {}): Promise<LoopResult> {
  const { progress = silentProgress, signal, store, saveEvery = 25, whenInterrupted = "throw" } = options;
  const { variables } = loop;
  const state = (await store?.load()) ?? null;
  let step = restore(variables, state);
  const history: StepNumbers[] = step > 0 ? [...state!.history] : [];
  const task = progress.start(loop.name, { total: loop.steps, step });
  let ending = "interrupted";
  try {
    while (step < loop.steps) {
      // Lets signals and displays have their turn.
      await new Promise((resolve) => setImmediate(resolve));
      if (signal?.aborted) {
        await store?.save(snapshot(variables, step, history));
        if (whenInterrupted === "throw") throw signal.reason;
        return { history, steps: step, completed: false };
      }
      const values = await loop.step(step++);
      history.push(values);
      task.update({ step, values });
      if (step % saveEvery === 0 && step < loop.steps) await store?.save(snapshot(variables, step, history));
    }
    await store?.save(snapshot(variables, step, history));
    ending = "done";
    return { history, steps: step, completed: true };
  } finally {
    task.finish(ending);
  }
}

function snapshot(variables: Loop["variables"], step: number, history: readonly StepNumbers[]): RunState {
  const arrays: Record<string, Float32Array> = {};
  const adamSteps: Record<string, number> = {};
  for (const [name, { values, adam }] of Object.entries(variables)) {
    adamSteps[name] = adam.step;
    arrays[name] = values;
    arrays[`${name}.first`] = adam.first;
    arrays[`${name}.second`] = adam.second;
  }
  return { step, adamSteps, arrays, history: [...history] };
}

/** Puts a saved state into the variables; one that does not fit is not used. */
function restore(variables: Loop["variables"], state: RunState | null): number {
  if (!state) return 0;
  const entries = Object.entries(variables);
  if (!entries.every(([name, { values }]) => state.arrays[name]?.length === values.length && name in state.adamSteps)) return 0;
  for (const [name, { values, adam }] of entries) {
    values.set(state.arrays[name]!);
    adam.first.set(state.arrays[`${name}.first`]!);
    adam.second.set(state.arrays[`${name}.second`]!);
    adam.step = state.adamSteps[name]!;
  }
  return state.step;
}
