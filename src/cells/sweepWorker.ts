/** Worker entry: the pieces of a sweep, each on this thread's engine. */
import { startWorkerEngine } from "../engine";
import * as jobs from "./sweepJobs";

/** Runs `runLabels` on this thread's engine. */
export async function labelPiece(request: jobs.LabelRequest): Promise<Float32Array> {
  await startWorkerEngine();
  return jobs.runLabels(request);
}

/** Runs `runMerge` on this thread's engine. */
export async function mergePiece(request: jobs.MergeRequest): Promise<jobs.SweepMerge> {
  await startWorkerEngine();
  return jobs.runMerge(request);
}

/** Runs `runJudge` on this thread's engine. */
export async function judgePiece(request: jobs.JudgeRequest): Promise<jobs.Judgement> {
  await startWorkerEngine();
  return jobs.runJudge(request);
}

/** Runs `runView` on this thread's engine. */
export async function viewPiece(request: jobs.ViewRequest): Promise<jobs.View> {
  await startWorkerEngine();
  return jobs.runView(request);
}
