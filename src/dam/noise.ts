/** Universal additive noise within a bound. */
import { randomStream } from "../engine";
import type { DamOptions } from "./options";
import type { Perturbations, PerturbationSetting } from "./perturbations";

/**
 * Universal noise: values are [tasks, candidates, 3, height, width] in pixel units of [0, 1], within an L∞ or L2 ball. Perturbed images are
 * clamped to the valid range of each channel; a clamped pixel has no gradient. Ascent follows the gradient's sign (L∞) or direction (L2).
 */
export function noisePerturbations(
  { candidates, ascentRate, noiseNorm, noiseRadius }: Pick<DamOptions, "candidates" | "ascentRate" | "noiseNorm" | "noiseRadius">,
  { tasks, seed, imageSize, normalization: { mean, std } }: PerturbationSetting,
): Perturbations {
  const plane = imageSize ** 2;
  const length = 3 * plane;
  const low = mean.map((value, channel) => -value / std[channel]!);
  const high = mean.map((value, channel) => (1 - value) / std[channel]!);
  const noiseOf = (values: Float32Array, task: number, image: number): Float32Array => {
    const start = (task * candidates + (image % candidates)) * length;
    return values.subarray(start, start + length);
  };

  return {
    start() {
      const values = new Float32Array(tasks.length * candidates * length);
      for (const [task, name] of tasks.entries()) {
        const random = randomStream(seed, "noise", "start", name);
        for (let candidate = 0; candidate < candidates; candidate++) {
          const noise = noiseOf(values, task, candidate);
          for (let i = 0; i < length; i++) noise[i] = noiseRadius * random.uniform(-1, 1);
          projectNoise(noise, noiseNorm, noiseRadius);
        }
      }
      return values;
    },
    apply: (values, batches) =>
      batches.map((batch, task) => {
        const pixels = batch.slice();
        for (let image = 0; image < pixels.length / length; image++) {
          const noise = noiseOf(values, task, image);
          for (let i = 0; i < length; i++) {
            const channel = Math.floor(i / plane);
            const moved = batch[image * length + i]! + noise[i]! / std[channel]!;
            pixels[image * length + i] = Math.min(high[channel]!, Math.max(low[channel]!, moved));
          }
        }
        return pixels;
      }),
    ascend(values, perturbed, { pixelGradients }) {
      const slopes = new Float32Array(values.length);
      for (const [task, pixels] of perturbed.entries()) {
        for (let image = 0; image < pixels.length / length; image++) {
          const slope = noiseOf(slopes, task, image);
          for (let i = 0; i < length; i++) {
            const channel = Math.floor(i / plane);
            const pixel = pixels[image * length + i]!;
            if (pixel > Math.fround(low[channel]!) && pixel < Math.fround(high[channel]!)) {
              slope[i] = slope[i]! + pixelGradients[task]![image * length + i]! / std[channel]!;
            }
          }
        }
      }
      for (let start = 0; start < values.length; start += length) {
        const noise = values.subarray(start, start + length);
        climb(noise, slopes.subarray(start, start + length), noiseNorm, ascentRate);
        projectNoise(noise, noiseNorm, noiseRadius);
      }
    },
  };
}

/** Brings noise back into its ball, in place. */
export function projectNoise(noise: Float32Array, norm: "linf" | "l2", radius: number): void {
  if (norm === "linf") {
    for (let i = 0; i < noise.length; i++) noise[i] = Math.min(radius, Math.max(-radius, noise[i]!));
    return;
  }
  const factor = radius / euclidean(noise);
  if (factor < 1) for (let i = 0; i < noise.length; i++) noise[i] = noise[i]! * factor;
}

function climb(noise: Float32Array, slope: Float32Array, norm: "linf" | "l2", rate: number): void {
  const size = norm === "l2" ? euclidean(slope) : 1;
  if (size === 0) return;
  for (let i = 0; i < noise.length; i++) noise[i] = noise[i]! + rate * (norm === "l2" ? slope[i]! / size : Math.sign(slope[i]!));
}

function euclidean(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return Math.sqrt(sum);
}
