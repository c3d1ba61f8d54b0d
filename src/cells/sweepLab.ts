import * as path from "node:path";
import { createWorkers, defaultWorkerCount, isSingleThreaded, startEngine } from "../engine";
import * as jobs from "./sweepJobs";

/** Where the pieces of a sweep are computed; the bytes are the same everywhere. */
export interface SweepLab {
  /** Pieces at work at once. */
  readonly count: number;
  labels(request: jobs.LabelRequest, signal: AbortSignal): Promise<Float32Array>;
  merge(request: jobs.MergeRequest, signal: AbortSignal): Promise<jobs.SweepMerge>;
  judge(request: jobs.JudgeRequest, signal: AbortSignal): Promise<jobs.Judgement>;
  view(request: jobs.ViewRequest, signal: AbortSignal): Promise<jobs.View>;
  close(): Promise<void>;
}

/**
 * One thread a core, each with an engine of its own, where the engine has but one thread; else this process, one piece after another.
 * Whole pieces run side by side, not parts of one, so that no thread waits for another.
 */
export async function openSweepLab(): Promise<SweepLab> {
  const engine = await startEngine();
  const count = defaultWorkerCount();
  if (!isSingleThreaded(engine.name) || count < 2) return labHere();
  const workers = await createWorkers(path.join(__dirname, `sweepWorker${path.extname(__filename)}`), { count });
  return {
    count,
    labels: (request, signal) => workers.run("labelPiece", request, signal),
    merge: (request, signal) => workers.run("mergePiece", request, signal),
    judge: (request, signal) => workers.run("judgePiece", request, signal),
    view: (request, signal) => workers.run("viewPiece", request, signal),
    close: () => workers.close(),
  };
}

function labHere(): SweepLab {
  let last: Promise<unknown> = Promise.resolve();
  const queue = <Request, Found>(job: (request: Request, signal: AbortSignal) => Promise<Found>) => {
    return (request: Request, signal: AbortSignal): Promise<Found> => {
      const next = last.then(async () => {
        // Timers and signals have their turn between pieces.
        await new Promise((resolve) => setImmediate(resolve));
        signal.throwIfAborted();
        return job(request, signal);
      });
      last = next.catch(() => undefined);
      return next;
    };
  };
  return {
    count: 1,
    labels: queue(jobs.runLabels),
    merge: queue(jobs.runMerge),
    judge: queue(jobs.runJudge),
    view: queue(jobs.runView),
    close: () => Promise.resolve(),
  };
}
