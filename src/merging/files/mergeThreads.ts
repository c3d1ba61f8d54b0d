import { availableParallelism } from "node:os";
import * as path from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { createThreads, wantedWorkerCount } from "../../engine/workers";
import * as functions from "./mergeThread";

/** Who runs the functions of mergeThread.ts. */
export interface MergeThreads {
  readonly count: number;
  run<Result>(name: string, request: object): Promise<Result>;
}

/** Smaller merges are done before a thread has started. */
const LEAST_BYTES = 2 ** 24;
/** How long threads wait for the next merge, in milliseconds. */
const PATIENCE = 10_000;

const pools = new Map<number, MergeThreads>();

/**
 * Threads for files of so many bytes together: environment variable DAMLAB_WORKERS, else one a core; for little ones the calling thread. They end
 * by themselves when nobody needs them, and no process waits for them.
 */
export function mergeThreads(bytes: number): MergeThreads {
  if (bytes < LEAST_BYTES) return callingThread;
  const count = wantedWorkerCount() ?? availableParallelism();
  let pool = pools.get(count);
  if (pool === undefined) {
    pool = createThreads(path.join(__dirname, `mergeThread${path.extname(__filename)}`), count, PATIENCE);
    pools.set(count, pool);
  }
  return pool;
}

const callingThread: MergeThreads = {
  count: 1,
  async run<Result>(name: string, request: object): Promise<Result> {
    await nextTurn();
    return (functions as unknown as Record<string, (request: object) => Result>)[name]!(request);
  },
};
