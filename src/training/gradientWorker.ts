/** Worker entry: one piece of a step's gradient. */
import { startWorkerEngine } from "../engine";
import type { Batch } from "./batch";
import { classificationGradient, type Classification } from "./classification";
import type { StepGradient } from "./train";

/** Runs `classificationGradient` on this thread's engine. */
export async function computePiece(request: { task: Classification; parameters: Float32Array; batch: Batch }): Promise<StepGradient> {
  await startWorkerEngine();
  return classificationGradient(request.task, request.parameters, request.batch);
}
