import type { RandomStream } from "../engine/random";
import { addNoise, PIXELS, SIDE, type Picture } from "./canvas";

/**
 * Makes a finished picture harder and stranger, as for pre-training: colour faded towards grey (0.2–1 of it is kept), channels in random
 * order with gains 0.6–1.4, inverted with probability 0.25, blurred by up to two passes of [1 2 1] / 4, noise of deviation 0.03–0.15.
 * @returns A new picture in [0, 1].
 */
export function weaken(picture: Picture, random: RandomStream): Picture {
  const weak = new Float64Array(picture.length);
  const kept = random.uniform(0.2, 1);
  const order = random.permutation(3);
  const inverted = random.chance(0.25);
  for (let channel = 0; channel < 3; channel++) {
    const gain = random.uniform(0.6, 1.4);
    const from = order[channel]! * PIXELS;
    for (let pixel = 0; pixel < PIXELS; pixel++) {
      const grey = (picture[pixel]! + picture[pixel + PIXELS]! + picture[pixel + 2 * PIXELS]!) / 3;
      const value = Math.min(1, gain * (grey + kept * (picture[from + pixel]! - grey)));
      weak[channel * PIXELS + pixel] = inverted ? 1 - value : value;
    }
  }
  const passes = random.integer(3);
  for (let pass = 0; pass < passes; pass++) blur(weak);
  return addNoise(weak, random, random.uniform(0.03, 0.15));
}

/** One pass of [1 2 1] / 4 along rows and columns, the border repeated; in place. */
function blur(picture: Picture): void {
  const line = new Float64Array(SIDE);
  for (let plane = 0; plane < 3; plane++) {
    for (const [along, across] of [
      [1, SIDE],
      [SIDE, 1],
    ] as const) {
      for (let start = 0; start < SIDE; start++) {
        const first = plane * PIXELS + start * across;
        for (let at = 0; at < SIDE; at++) line[at] = picture[first + at * along]!;
        for (let at = 0; at < SIDE; at++) {
          const before = line[Math.max(0, at - 1)]!;
          const after = line[Math.min(SIDE - 1, at + 1)]!;
          picture[first + at * along] = (before + 2 * line[at]! + after) / 4;
        }
      }
    }
  }
}
