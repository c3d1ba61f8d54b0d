/** Worker threads for the engines that compute on one thread. */
import os from "node:os";
import path from "node:path";
import { Piscina } from "piscina";
import { isSingleThreaded, runningEngine, startEngine } from "./backend";

/** A pool of threads that run one entry file's functions, each on an engine of its own. */
export interface Workers {
  readonly count: number;
  /**
   * Runs an exported function of the entry file on the next free thread.
   * @param request Cloned, but for SharedArrayBuffers.
   * @throws What the function throws, or the signal's reason.
   */
  run<Result>(name: string, request: unknown, signal?: AbortSignal): Promise<Result>;
  /** Ends the threads. */
  close(): Promise<void>;
}

/** How a pool is made. */
export interface WorkersOptions {
  /** Threads; default `defaultWorkerCount()`. */
  readonly count?: number;
}

const ENTRY = path.join(__dirname, "..", "..", "src", "engine", "workerEntry.cjs");

/** Environment variable DAMLAB_WORKERS; undefined where it is not set. */
export function wantedWorkerCount(): number | undefined {
  const wanted = process.env["DAMLAB_WORKERS"];
  if (!wanted) return undefined;
  if (!/^[1-9]\d{0,3}$/.test(wanted)) throw new RangeError(`Cannot use DAMLAB_WORKERS="${wanted}": expected a positive integer`);
  return Number(wanted);
}

/** Environment variable DAMLAB_WORKERS, else one thread a core on single-threaded engines and one on the others. */
export function defaultWorkerCount(): number {
  const wanted = wantedWorkerCount();
  if (wanted !== undefined) return wanted;
  const engine = runningEngine();
  return !engine || isSingleThreaded(engine.name) ? os.availableParallelism() : 1;
}

/**
 * Starts a pool. Results must not depend on its size: cut work into pieces of fixed size and add the results up in a fixed order.
 * @param entry Path of the entry file; its functions begin with `await startWorkerEngine()`.
 */
export async function createWorkers(entry: string, { count = defaultWorkerCount() }: WorkersOptions = {}): Promise<Workers> {
  const engine = runningEngine() ?? (await startEngine());
  const pool = new Piscina({
    filename: ENTRY,
    minThreads: count,
    maxThreads: count,
    idleTimeout: Infinity,
    env: { ...process.env, DAMLAB_ENGINE: engine.name },
  });
  return {
    count,
    run: (name, request, signal) => pool.run({ entry, name, request }, signal ? { signal } : {}),
    close: () => pool.destroy(),
  };
}

/**
 * Threads without an engine, for work on plain memory and files. They start when they are needed and end when they have waited.
 * @param entry Path of the entry file, whose functions take one request each.
 * @param patience How long they wait, in milliseconds; no process waits for them.
 */
export function createThreads(entry: string, count: number, patience: number): Pick<Workers, "count" | "run"> {
  const pool = new Piscina({ filename: ENTRY, minThreads: 0, maxThreads: count, idleTimeout: patience });
  return { count, run: (name, request, signal) => pool.run({ entry, name, request }, signal ? { signal } : {}) };
}

/** Starts the engine that the pool's owner computes on. */
export async function startWorkerEngine(): Promise<void> {
  await startEngine();
}
