/** Opaque rectangles whose pixels are optimised; the defender knows neither the trigger's size nor its place, so both are drawn anew. */
import { randomStream } from "../engine";
import type { DamOptions } from "./options";
import type { Perturbations, PerturbationSetting } from "./perturbations";

interface Place {
  readonly x: number;
  readonly y: number;
  readonly height: number;
  readonly width: number;
}

/**
 * Stickers: values are [tasks, candidates, 3, max, max] in [0, 1]. A step shows the upper left part of a sticker, of a drawn size, at a drawn
 * place, the same for all images of its candidate; ascent follows the sign of the gradient.
 * @throws {RangeError} if the largest sticker does not fit into the image.
 */
export function stickerPerturbations(
  { stickerMin, stickerMax, candidates, ascentRate }: Pick<DamOptions, "stickerMin" | "stickerMax" | "candidates" | "ascentRate">,
  { tasks, seed, imageSize, normalization: { mean, std } }: PerturbationSetting,
): Perturbations {
  if (stickerMax > imageSize) {
    throw new RangeError(`Cannot make stickers of ${stickerMax} pixels: expected at most the image's ${imageSize}`);
  }
  const area = stickerMax ** 2;
  const plane = imageSize ** 2;
  const placeOf = (task: number, candidate: number, phase: string, step: number): Place => {
    const random = randomStream(seed, "stickers", phase, tasks[task]!, step, candidate);
    const [height, width] = [side(random.integer(stickerMax - stickerMin + 1)), side(random.integer(stickerMax - stickerMin + 1))];
    return { height, width, x: random.integer(imageSize - width + 1), y: random.integer(imageSize - height + 1) };
  };
  const side = (drawn: number): number => stickerMin + drawn;

  /** Calls `visit` for each pixel that a sticker covers, with its place in the batch and in the values. */
  const visitPixels = (
    pixels: Float32Array,
    task: number,
    phase: string,
    step: number,
    visit: (pixel: number, value: number, channel: number) => void,
  ): void => {
    const places = Array.from({ length: candidates }, (_, candidate) => placeOf(task, candidate, phase, step));
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
    start() {
      const values = new Float32Array(tasks.length * candidates * 3 * area);
      const each = values.length / tasks.length;
      for (const [task, name] of tasks.entries()) {
        const random = randomStream(seed, "stickers", "start", name);
        for (let i = 0; i < each; i++) values[task * each + i] = random.uniform();
      }
      return values;
    },
    apply: (values, batches, phase, step) =>
      batches.map((batch, task) => {
        const pixels = batch.slice();
        visitPixels(pixels, task, phase, step, (pixel, value, channel) => {
          pixels[pixel] = (values[value]! - mean[channel]!) / std[channel]!;
        });
        return pixels;
      }),
    ascend(values, perturbed, gradients, phase, step) {
      const slopes = new Float32Array(values.length);
      for (const [task, pixels] of perturbed.entries()) {
        const gradient = gradients[task]!;
        visitPixels(pixels, task, phase, step, (pixel, value) => (slopes[value]! += gradient[pixel]!));
      }
      for (let i = 0; i < values.length; i++) values[i] = Math.min(1, Math.max(0, values[i]! + ascentRate * Math.sign(slopes[i]!)));
    },
  };
}
