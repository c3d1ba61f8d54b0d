import type { RandomStream } from "../engine/random";

/**
 * The order of training batches: epoch after epoch, each a fresh permutation of all images, cut into batches that may span two epochs.
 * The batch of a step depends on the stream's name and the step alone, so training can go on from any step.
 * @param random Names the order; not drawn from.
 * @param count Images to draw from.
 * @returns A function from the step (0, 1, …) to `batchSize` indices below `count`.
 * @throws {RangeError} if there is nothing to draw from or nothing to draw.
 */
export function seededBatches(random: RandomStream, count: number, batchSize: number): (step: number) => Uint32Array {
  if (!(Number.isInteger(count) && count > 0 && Number.isInteger(batchSize) && batchSize > 0)) {
    throw new RangeError(`Cannot order batches: expected at least one image and one a batch, got ${count} images and ${batchSize} a batch`);
  }
  const epochs = new Map<number, Uint32Array>();
  const orderOf = (epoch: number): Uint32Array => {
    let order = epochs.get(epoch);
    if (!order) {
      if (epochs.size > 2) epochs.clear();
      order = random.child("epoch", epoch).permutation(count);
      epochs.set(epoch, order);
    }
    return order;
  };
  return (step) =>
    Uint32Array.from({ length: batchSize }, (_, place) => {
      const position = step * batchSize + place;
      return orderOf(Math.floor(position / count))[position % count]!;
    });
}
