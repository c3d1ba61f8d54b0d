/** Labelled images of one step. */
import { gatherLabels, gatherPixels, seededBatches, type ImageSet } from "../tasks";
import type { RandomStream } from "../engine";

/** Images ready for a model. */
export interface Batch {
  /** [count, channels, height, width], normalised. */
  readonly pixels: Float32Array;
  /** [count] */
  readonly labels: Int32Array;
  readonly count: number;
}

/** The batch of each step; depends on the step alone. */
export type BatchSource = (step: number) => Batch;

/** Batches of a set in random order, epoch after epoch. */
export function labelledBatches(set: ImageSet, batchSize: number, random: RandomStream): BatchSource {
  const order = seededBatches(random, set.count, batchSize);
  return (step) => {
    const indices = order(step);
    return { pixels: gatherPixels(set, indices), labels: gatherLabels(set, indices), count: batchSize };
  };
}

/** The batches of several sources, one after another in one batch. */
export function joinBatches(...sources: readonly BatchSource[]): BatchSource {
  return (step) => {
    const batches = sources.map((source) => source(step));
    const pixels = new Float32Array(batches.reduce((sum, batch) => sum + batch.pixels.length, 0));
    const labels = new Int32Array(batches.reduce((sum, batch) => sum + batch.count, 0));
    let image = 0;
    let pixel = 0;
    for (const batch of batches) {
      pixels.set(batch.pixels, pixel);
      labels.set(batch.labels, image);
      pixel += batch.pixels.length;
      image += batch.count;
    }
    return { pixels, labels, count: labels.length };
  };
}
