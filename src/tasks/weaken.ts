import type { RandomStream } from "../engine/random";
import { addNoise, PIXELS, SIDE, type Picture } from "./canvas";

// Local names: reading another module's constant in an inner loop costs more than the arithmetic.
const plane = PIXELS;
const side = SIDE;

/** How far pre-training images are from the tasks' own. */
export interface Weakening {
  /** Passes of [1 2 1] / 4, at most; 0 for no blur. */
  readonly blurPasses: number;
  /** Least and greatest standard deviation of the noise; pixels are in [0, 1]. */
  readonly noise: readonly [least: number, greatest: number];
}

/**
 * Makes a finished picture harder and stranger, as for pre-training: colour faded towards grey (0.2–1 of it is kept), channels in random
 * order with gains 0.6–1.4, inverted with probability 0.25, blurred and made noisy.
 * @returns A new picture in [0, 1].
 */
export function weaken(picture: Picture, random: RandomStream, { blurPasses, noise }: Weakening): Picture {
  const weak = new Float64Array(picture.length);
  const kept = random.uniform(0.2, 1);
  const order = random.permutation(3);
  const inverted = random.chance(0.25);
  for (let channel = 0; channel < 3; channel++) {
    const gain = random.uniform(0.6, 1.4);
    const from = order[channel]! * plane;
    for (let pixel = 0; pixel < plane; pixel++) {
      const grey = (picture[pixel]! + picture[pixel + plane]! + picture[pixel + 2 * plane]!) / 3;
      const value = Math.min(1, gain * (grey + kept * (picture[from + pixel]! - grey)));
      weak[channel * plane + pixel] = inverted ? 1 - value : value;
    }
  }
  const passes = random.integer(blurPasses + 1);
  for (let pass = 0; pass < passes; pass++) blur(weak);
  return addNoise(weak, random, random.uniform(...noise));
}

/** One pass of [1 2 1] / 4 along rows and columns, the border repeated; in place. */
function blur(picture: Picture): void {
  const line = new Float64Array(side);
  for (let channel = 0; channel < 3; channel++) {
    for (const [along, across] of [
      [1, side],
      [side, 1],
    ] as const) {
      for (let start = 0; start < side; start++) {
        const first = channel * plane + start * across;
        for (let at = 0; at < side; at++) line[at] = picture[first + at * along]!;
        for (let at = 0; at < side; at++) {
          const before = line[Math.max(0, at - 1)]!;
          const after = line[Math.min(side - 1, at + 1)]!;
          picture[first + at * along] = (before + 2 * line[at]! + after) / 4;
        }
      }
    }
  }
}
