/** Parts of the tasks' batches that are passed through the tower one after another, or side by side. */
import { isSingleThreaded, runningEngine } from "../../engine";
import { tokenCount, type VisionConfig } from "../../models";
import type { PassRequest } from "./pass";

/**
 * Pieces on engines with one thread, each a pass of its own, wherever it is computed; so a run gives the same bytes with and without workers.
 */
export const THREAD_PIECES = 2;

/**
 * What the tower may keep of a piece on the other engines, in bytes. The desk model's batches stay far below it. On a GPU each piece costs a
 * gradient that comes back over the bus, and operations that are too small for it.
 */
const MOST_KEPT = { native: 6 * 2 ** 27, gpu: 2 ** 32 };

/** Part of the tasks' batches; `shares` are the parts' fractions of their batches. */
export interface Piece {
  readonly batches: readonly Float32Array[];
  readonly ranges: readonly { readonly start: number; readonly end: number }[];
  readonly shares: readonly number[];
}

/**
 * Cuts batches so that a piece has the same share of each task's, in order.
 * @param backward Whether a backward pass follows, for which the tower keeps what each block computed.
 */
export function cutBatches(batches: readonly Float32Array[], config: VisionConfig, backward: boolean): Piece[] {
  const length = 3 * config.imageSize ** 2;
  const counts = batches.map((batch) => batch.length / length);
  const pieces = Math.max(1, Math.min(countPieces(counts, config, backward), ...counts));
  return Array.from({ length: pieces }, (_, piece) => {
    const edge = (task: number, index: number): number => Math.floor((counts[task]! * index) / pieces);
    const ranges = batches.map((_batch, task) => ({ start: edge(task, piece), end: edge(task, piece + 1) }));
    return {
      batches: batches.map((batch, task) => batch.subarray(ranges[task]!.start * length, ranges[task]!.end * length)),
      ranges,
      shares: ranges.map(({ start, end }, task) => (end - start) / counts[task]!),
    };
  });
}

function countPieces(counts: readonly number[], config: VisionConfig, backward: boolean): number {
  const engine = runningEngine();
  if (engine && isSingleThreaded(engine.name)) return counts.every((count) => count >= THREAD_PIECES) ? THREAD_PIECES : 1;
  const images = counts.reduce((sum, count) => sum + count, 0);
  return Math.ceil((images * keptBytes(config, backward)) / MOST_KEPT[engine?.name === "gpu" ? "gpu" : "native"]);
}

/** Bytes that the tower keeps of one image, about: of a forward pass alone each block's result and one block's inside. */
function keptBytes(config: VisionConfig, backward: boolean): number {
  const { hiddenSize, intermediateSize, heads, layers } = config;
  const tokens = tokenCount(config);
  const block = 4 * tokens * (8 * hiddenSize + 2 * intermediateSize + heads * tokens);
  return backward ? layers * block : block + 4 * layers * tokens * hiddenSize;
}

/** What a pass of all batches asks of one piece. */
export function requestOf({ ranges, shares }: Piece, request: PassRequest): PassRequest {
  const labels = request.loss.labels?.map((classes, task) => classes.slice(ranges[task]!.start, ranges[task]!.end));
  return { ...request, shares, loss: labels ? { ...request.loss, labels } : request.loss };
}
