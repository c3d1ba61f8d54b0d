/** House numbers: one digit in the middle, often with neighbours cut off at the sides, on a wall of another colour. */
import type { RandomStream } from "../engine/random";
import { anyColour, flat, paint, shade, type Colour, type Picture } from "./canvas";
import { writeDigit, type Handwriting } from "./digits";
import type { Generator } from "./generator";
import { valueNoise } from "./noise";
import { stroke, strokes } from "./shapes";

/** SVHN-like digits 0–9. */
export const svhn: Generator = {
  noise: 0.045,
  classes: Array.from({ length: 10 }, (_, digit) => ({
    name: String(digit),
    description: `The digit ${digit} in the middle of a house number`,
    draw: (random) => houseNumber(random, digit),
  })),
};

function houseNumber(random: RandomStream, digit: number): Picture {
  const [wall, paintColour] = contrastingColours(random, 0.25);
  const picture = flat(wall);
  const light = valueNoise(random, 2);
  shade(picture, (x, y) => 0.85 + 0.3 * light(x, y));

  const hand: Handwriting = {
    style: random.chance(2 / 3) ? "pen" : "segments",
    width: random.uniform(11, 15),
    height: random.uniform(20, 24),
    rotation: random.uniform(-0.12, 0.12),
    shear: random.uniform(-0.15, 0.15),
    tremor: 0.7,
  };
  const halfWidth = random.uniform(1.4, 2.6);
  const x = 16 + random.uniform(-1.5, 1.5);
  const y = 16 + random.uniform(-1.5, 1.5);
  for (const side of [-1, 1]) {
    if (!random.chance(0.4)) continue;
    const apart = hand.width + 2 * halfWidth + random.uniform(0.5, 2.5);
    const neighbour = writeDigit(random, random.integer(10), x + side * apart, y, hand);
    paint(picture, strokes(neighbour, halfWidth), paintColour);
  }
  paint(picture, strokes(writeDigit(random, digit, x, y, hand), halfWidth), paintColour);
  if (random.chance(0.4)) clutter(random, picture);
  return picture;
}

/** A thin half-transparent line from edge to edge: a cable, a crack, a shadow. */
function clutter(random: RandomStream, picture: Picture): void {
  const line = stroke(
    [
      [random.uniform(0, 32), random.pick([-2, 34])],
      [random.pick([-2, 34]), random.uniform(0, 32)],
    ],
    random.uniform(0.4, 1),
  );
  paint(picture, line, anyColour(random), { opacity: 0.5 });
}

/** Two colours whose mean brightness differs by more than `contrast`. */
export function contrastingColours(random: RandomStream, contrast: number): [Colour, Colour] {
  for (;;) {
    const first = anyColour(random);
    const second = anyColour(random);
    if (Math.abs(brightness(first) - brightness(second)) > contrast) return [first, second];
  }
}

function brightness(colour: Colour): number {
  return (colour[0] + colour[1] + colour[2]) / 3;
}
