/** Sets of images as bytes, and what a model is fed. */

/** Rows and columns of an image of the desk suite. */
export const IMAGE_SIZE = 32;
/** Red, green, blue. */
export const CHANNELS = 3;
/** Mean of the desk models' input normalisation, the same for each channel. */
export const MEAN = 0.5;
/** Standard deviation of the desk models' input normalisation, the same for each channel. */
export const STD = 0.25;

/** Images whose labels nobody may see: what a defender adapts on. */
export interface UnlabelledImageSet {
  /** Bytes [count, channels, height, width]. */
  readonly images: Uint8Array;
  readonly count: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** Labelled images. */
export interface ImageSet extends UnlabelledImageSet {
  /** Class of each image, [count]. */
  readonly labels: Uint8Array;
}

/** How many bytes one image takes. */
export function imageLength(set: UnlabelledImageSet): number {
  return set.channels * set.height * set.width;
}

/**
 * Bytes to model input: (x / 255 - 0.5) / 0.25.
 * @param images Bytes in any arrangement.
 * @param target Where to write; a new array by default. At least as long as `images`.
 * @returns Numbers in [-2, 2], arranged as `images`.
 */
export function normalizePixels(images: Uint8Array, target = new Float32Array(images.length)): Float32Array {
  for (let index = 0; index < images.length; index++) target[index] = NORMALIZED[images[index]!]!;
  return target;
}

const NORMALIZED = Float32Array.from({ length: 256 }, (_, value) => (value / 255 - MEAN) / STD);

/**
 * The images at the given indices, one after another, as model input.
 * @param indices Places in the set; may repeat.
 * @returns [indices.length, channels, height, width], ready for `tf.tensor4d`.
 * @throws {RangeError} if an index is outside the set.
 */
export function gatherPixels(set: UnlabelledImageSet, indices: ArrayLike<number>): Float32Array {
  const length = imageLength(set);
  const pixels = new Float32Array(indices.length * length);
  for (let place = 0; place < indices.length; place++) {
    const index = indices[place]!;
    if (!(index >= 0 && index < set.count)) throw new RangeError(`Cannot gather image ${index}: expected an index below ${set.count}`);
    normalizePixels(set.images.subarray(index * length, (index + 1) * length), pixels.subarray(place * length, (place + 1) * length));
  }
  return pixels;
}

/** The labels at the given indices. */
export function gatherLabels(set: ImageSet, indices: ArrayLike<number>): Int32Array {
  return Int32Array.from({ length: indices.length }, (_, place) => set.labels[indices[place]!]!);
}

/** The first `limit` images of a set, sharing its bytes. */
export function firstImages<T extends UnlabelledImageSet>(set: T, limit: number): T {
  if (limit >= set.count) return set;
  const shorter = { ...set, count: limit, images: set.images.subarray(0, limit * imageLength(set)) };
  return "labels" in set ? { ...shorter, labels: (set as unknown as ImageSet).labels.subarray(0, limit) } : shorter;
}
