import { defaultWorkerCount, isSingleThreaded, runningEngine, type Workers } from "../engine";
import { createEvaluationWorkers } from "../evaluation";

let shared: Promise<Workers> | undefined;

/**
 * The threads on which cells evaluate, started on first use and kept, since each starts an engine and keeps images; undefined where the engine
 * uses all cores by itself, or there is only one. They don't keep the process alive.
 */
export function sharedWorkers(): Promise<Workers> | undefined {
  const engine = runningEngine();
  if (engine === undefined || !isSingleThreaded(engine.name) || defaultWorkerCount() < 2) return undefined;
  shared ??= createEvaluationWorkers();
  return shared;
}

/** Ends the shared threads, where somebody waits for the process to be quiet, as tests do. */
export async function closeSharedWorkers(): Promise<void> {
  const workers = shared;
  shared = undefined;
  await (await workers)?.close();
}
