/** Worker entry: one piece of a pass. */
import { startWorkerEngine } from "../../engine";
import { computeClasses, computePass, type PassRequest, type PassResult, type TowerParts } from "./pass";

/** What a worker gets; θ lies in shared memory. */
export interface PieceRequest {
  readonly parts: TowerParts;
  readonly theta: Float32Array;
  readonly batches: readonly Float32Array[];
}

/** Runs `computePass` on this thread's engine. */
export async function passPiece({ parts, theta, batches, request }: PieceRequest & { request: PassRequest }): Promise<PassResult> {
  await startWorkerEngine();
  return computePass(parts, theta, batches, request);
}

/** Runs `computeClasses` on this thread's engine. */
export async function classifyPiece({ parts, theta, batches }: PieceRequest): Promise<Int32Array[]> {
  await startWorkerEngine();
  return computeClasses(parts, theta, batches);
}
