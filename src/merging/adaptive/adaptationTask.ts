/** What a test-time method sees of a task: unlabelled images and a zero-shot head. */
import { randomStream } from "../../engine";
import type { ZeroShotHead } from "../../models";
import { CHANNELS, gatherPixels, MEAN, seededBatches, STD, type UnlabelledImageSet } from "../../tasks";

/** One task of a merge; there is no field for labels. */
export interface AdaptationTask {
  readonly name: string;
  readonly head: ZeroShotHead;
  readonly images: UnlabelledImageSet;
}

/** How bytes become model input: (x / 255 − mean) / std, channel by channel. */
export interface Normalization {
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/** The desk models' normalisation. */
export const DESK_NORMALIZATION: Normalization = { mean: [MEAN, MEAN, MEAN], std: [STD, STD, STD] };

/** The images of one step of one phase, a batch a task: [batchSize, 3, height, width], normalised. */
export type BatchDraw = (phase: string, step: number) => Float32Array[];

/**
 * Batches in random order, epoch after epoch; which images a step sees depends on the seed, the phase, the task's name and the step alone.
 * @param batchSize Images a task.
 */
export function drawBatches(
  tasks: readonly AdaptationTask[],
  batchSize: number,
  seed: number,
  normalization: Normalization = DESK_NORMALIZATION,
): BatchDraw {
  const orders = new Map<string, (step: number) => Uint32Array>();
  const orderOf = (phase: string, { name, images }: AdaptationTask): ((step: number) => Uint32Array) => {
    const key = JSON.stringify([phase, name]);
    const known = orders.get(key) ?? seededBatches(randomStream(seed, "adaptation", phase, name), images.count, batchSize);
    orders.set(key, known);
    return known;
  };
  return (phase, step) =>
    tasks.map((task) => {
      const indices = orderOf(phase, task)(step);
      const batch = gatherNormalized(task.images, indices, normalization);
      batchIndices.set(batch, indices);
      return batch;
    });
}

const batchIndices = new WeakMap<Float32Array, Uint32Array>();

/** Which of its task's images a batch of `drawBatches` holds; undefined for other batches. */
export function indicesOf(batch: Float32Array): Uint32Array | undefined {
  return batchIndices.get(batch);
}

/** The images at the given indices as model input under any normalisation. */
export function gatherNormalized(images: UnlabelledImageSet, indices: ArrayLike<number>, { mean, std }: Normalization): Float32Array {
  const pixels = gatherPixels(images, indices);
  if (mean.every((value) => value === MEAN) && std.every((value) => value === STD)) return pixels;
  const plane = images.height * images.width;
  for (let i = 0; i < pixels.length; i++) {
    const channel = Math.floor(i / plane) % CHANNELS;
    pixels[i] = (pixels[i]! * STD + MEAN - mean[channel]!) / std[channel]!;
  }
  return pixels;
}
