/** Opaque rectangles whose pixels are optimised; the defender knows neither the trigger's size nor its place, so both are drawn anew. */
import { randomStream, type RandomStream } from "../engine";
import type { DamOptions } from "./options";
import type { Perturbations, PerturbationSetting } from "./perturbations";

/** Where a sticker lies, in pixels. */
export interface StickerPlace {
  readonly x: number;
  readonly y: number;
  readonly height: number;
  readonly width: number;
}

/** The options that all stickers share. */
export type StickerOptions = Pick<DamOptions, "stickerMin" | "stickerMax" | "candidates" | "ascentRate">;

/**
 * Stickers: values are [tasks, candidates, 3, max, max] in [0, 1]. A step shows the upper left part of a sticker, of a drawn size, at a drawn
 * place, the same for all images of its candidate; ascent follows the sign of the gradient.
 * @throws {RangeError} if the largest sticker does not fit into the image.
 */
export function stickerPerturbations(options: StickerOptions, setting: PerturbationSetting): Perturbations {
  const { tasks, seed, imageSize } = setting;
  const canvas = openStickerCanvas(options, setting);
  const placesOf = (phase: string, step: number) => (task: number, candidate: number) =>
    drawPlace(randomStream(seed, "stickers", phase, tasks[task]!, step, candidate), options, imageSize);
  return {
    start: () => canvas.start(),
    apply: (values, batches, phase, step) => canvas.paint(values, batches, placesOf(phase, step)),
    ascend: (values, perturbed, { pixelGradients }, phase, step) => canvas.climb(values, perturbed, pixelGradients, placesOf(phase, step)),
  };
}

/** A size within the range, and a place inside the image. */
export function drawPlace(random: RandomStream, { stickerMin, stickerMax }: StickerOptions, imageSize: number): StickerPlace {
  const side = (): number => stickerMin + random.integer(stickerMax - stickerMin + 1);
  const [height, width] = [side(), side()];
  return { height, width, x: random.integer(imageSize - width + 1), y: random.integer(imageSize - height + 1) };
}

/** The place of a task's candidate. */
type PlaceOf = (task: number, candidate: number) => StickerPlace;

/** What stickers do wherever they lie. */
export interface StickerCanvas {
  /** Number of pixel values. */
  readonly length: number;
  /** Pixel values of one candidate. */
  readonly each: number;
  /** Random pixels. */
  start(): Float32Array;
  /** Copies of the batches with stickers on; image i of a batch shows candidate i mod candidates. */
  paint(values: Float32Array, batches: readonly Float32Array[], placeOf: PlaceOf): Float32Array[];
  /** Moves the shown pixels by `ascentRate` along the sign of their gradient, in place, within [0, 1]. */
  climb(values: Float32Array, perturbed: readonly Float32Array[], gradients: readonly Float32Array[], placeOf: PlaceOf): void;
}

/** @throws {RangeError} if the largest sticker does not fit into the image. */
export function openStickerCanvas(
  { stickerMax, candidates, ascentRate }: StickerOptions,
  { tasks, seed, imageSize, normalization: { mean, std } }: PerturbationSetting,
): StickerCanvas {
  if (stickerMax > imageSize) {
    throw new RangeError(`Cannot make stickers of ${stickerMax} pixels: expected at most the image's ${imageSize}`);
  }
  const area = stickerMax ** 2;
  const plane = imageSize ** 2;
  const each = 3 * area;
  const length = tasks.length * candidates * each;

  /** Calls `visit` for each pixel that a sticker covers, with its place in the batch and in the values. */
  const visitPixels = (
    pixels: Float32Array,
    task: number,
    placeOf: PlaceOf,
    visit: (pixel: number, value: number, channel: number) => void,
  ): void => {
    const places = Array.from({ length: candidates }, (_, candidate) => placeOf(task, candidate));
    for (let image = 0; image < pixels.length / (3 * plane); image++) {
      const candidate = image % candidates;
      const { x, y, height, width } = places[candidate]!;
      for (let channel = 0; channel < 3; channel++) {
        const sticker = ((task * candidates + candidate) * 3 + channel) * area;
        for (let row = 0; row < height; row++) {
          const pixel = (image * 3 + channel) * plane + (y + row) * imageSize + x;
          for (let column = 0; column < width; column++) visit(pixel + column, sticker + row * stickerMax + column, channel);
        }
      }
    }
  };

  return {
    length,
    each,
    start() {
      const values = new Float32Array(length);
      const share = length / tasks.length;
      for (const [task, name] of tasks.entries()) {
        const random = randomStream(seed, "stickers", "start", name);
        for (let i = 0; i < share; i++) values[task * share + i] = random.uniform();
      }
      return values;
    },
    paint: (values, batches, placeOf) =>
      batches.map((batch, task) => {
        const pixels = batch.slice();
        visitPixels(pixels, task, placeOf, (pixel, value, channel) => {
          pixels[pixel] = (values[value]! - mean[channel]!) / std[channel]!;
        });
        return pixels;
      }),
    climb(values, perturbed, gradients, placeOf) {
      const slopes = new Float32Array(length);
      for (const [task, pixels] of perturbed.entries()) {
        const gradient = gradients[task]!;
        visitPixels(pixels, task, placeOf, (pixel, value) => (slopes[value]! += gradient[pixel]!));
      }
      for (let i = 0; i < length; i++) values[i] = Math.min(1, Math.max(0, values[i]! + ascentRate * Math.sign(slopes[i]!)));
    },
  };
}
