/** Classes for pre-training only: invented glyphs, filled shapes, gratings and hues. They are part of no task. */
import { randomStream, type RandomStream } from "../engine/random";
import { anyColour, flat, frame, ground, paint, shade, tint, type Colour, type Field, type Picture } from "./canvas";
import type { Generator, ImageClass } from "./generator";
import { fractalNoise, valueNoise } from "./noise";
import { box, both, convex, disc, either, ring, strokes, type Point } from "./shapes";
import { contrastingColours } from "./svhn";

const GLYPHS = 20;
const ORIENTATIONS = 4;
const PERIODS = [4, 7.5] as const;
const HUES = ["red", "orange", "yellow", "green", "cyan", "blue", "violet", "pink"] as const;

/** Shapes of radius about 1 around the origin. */
const SHAPES: readonly (readonly [name: string, shape: Field])[] = [
  ["disc", disc(0, 0, 0.95)],
  ["square", box(0, 0, 0.85, 0.85)],
  [
    "triangle",
    convex([
      [0, -1.1],
      [1, 0.75],
      [-1, 0.75],
    ]),
  ],
  ["cross", either(box(0, 0, 1, 0.32), box(0, 0, 0.32, 1))],
  ["ring", ring(0, 0, 0.75, 0.25)],
  ["half-disc", both(disc(0, -0.4, 1.1), (_x, y) => -0.4 - y)],
  ["crescent", both(disc(0, 0, 1), (x, y) => 0.8 - Math.hypot(x - 0.5, y))],
  ["bow-tie", (x, y) => Math.max(Math.abs(x) - 1, (Math.abs(y) - Math.abs(x)) * 0.7)],
];

/** The 44 auxiliary classes. */
export const auxiliary: Generator = {
  noise: 0.04,
  classes: [
    ...Array.from({ length: GLYPHS }, (_, index): ImageClass => {
      const lines = inventGlyph(index);
      return { name: `glyph ${index + 1}`, description: "An invented sign", draw: (random) => glyph(random, lines) };
    }),
    ...SHAPES.map(([name, shape]): ImageClass => ({ name, description: `A filled ${name}`, draw: (random) => filledShape(random, shape) })),
    ...Array.from({ length: ORIENTATIONS * PERIODS.length }, (_, index): ImageClass => {
      const angle = (Math.PI * (index % ORIENTATIONS)) / ORIENTATIONS;
      const period = PERIODS[Math.floor(index / ORIENTATIONS)]!;
      const name = `${period < 5 ? "fine" : "coarse"} grating ${(180 / Math.PI) * angle}°`;
      return { name, description: "A sine grating", draw: (random) => grating(random, angle, period) };
    }),
    ...HUES.map((name, index): ImageClass => ({ name, description: `Mostly ${name}`, draw: (random) => hue(random, index / HUES.length) })),
  ],
};

/** Four or five different strokes between points of a 3 x 3 lattice that span it both ways, fixed once and for all by the glyph's number. */
function inventGlyph(index: number): Point[][] {
  const random = randomStream(0, "tasks", "auxiliary", "glyph", index);
  for (;;) {
    const lines = scribble(random);
    const corners = lines.flat();
    const spans = (axis: 0 | 1): boolean => corners.some((point) => point[axis] < 0) && corners.some((point) => point[axis] > 0);
    const different = new Set(lines.map(([from, to]) => [`${from}`, `${to}`].sort().join()));
    if (spans(0) && spans(1) && different.size === lines.length) return lines;
  }
}

/** A walk of four or five strokes over the lattice; mostly to a neighbour, sometimes a leap. */
function scribble(random: RandomStream): Point[][] {
  const lines: Point[][] = [];
  const count = 4 + random.integer(2);
  let [x, y] = [random.integer(3), random.integer(3)];
  while (lines.length < count) {
    const [nextX, nextY] = random.chance(0.25)
      ? [random.integer(3), random.integer(3)]
      : [x + random.integer(3) - 1, y + random.integer(3) - 1];
    if (nextX < 0 || nextX > 2 || nextY < 0 || nextY > 2 || (nextX === x && nextY === y)) continue;
    lines.push([
      [x - 1, y - 1],
      [nextX - 1, nextY - 1],
    ]);
    [x, y] = [nextX, nextY];
  }
  return lines;
}

function glyph(random: RandomStream, lines: readonly (readonly Point[])[]): Picture {
  const [back, ink] = contrastingColours(random, 0.25);
  const picture = ground(random, back, 0.1, 2, 0.02);
  const [width, height] = [random.uniform(6.5, 9.5), random.uniform(7, 10.5)];
  const shear = random.uniform(-0.15, 0.15);
  const at = frame(16 + random.uniform(-2, 2), 16 + random.uniform(-2, 2), random.uniform(-0.15, 0.15));
  const placed = lines.map((line) =>
    line.map(([x, y]): Point => [x * width - shear * y * height + random.uniform(-0.7, 0.7), y * height + random.uniform(-0.7, 0.7)]),
  );
  paint(picture, strokes(placed, random.uniform(1.2, 2.2)), ink, { at });
  return picture;
}

function filledShape(random: RandomStream, shape: Field): Picture {
  const [back, ink] = contrastingColours(random, 0.2);
  const picture = ground(random, back, 0.15, 3, 0.02);
  const at = frame(16 + random.uniform(-4, 4), 16 + random.uniform(-4, 4), random.uniform(-0.4, 0.4), random.uniform(6, 12));
  paint(picture, shape, ink, { at });
  return picture;
}

function grating(random: RandomStream, angle: number, period: number): Picture {
  const [first, second] = contrastingColours(random, 0.2);
  const picture = flat(first);
  const wave = period * random.uniform(0.85, 1.15);
  const phase = random.uniform(0, 2 * Math.PI);
  const at = frame(16, 16, angle + random.uniform(-0.15, 0.15));
  tint(picture, (_u, v) => 0.5 + 0.5 * Math.sin((2 * Math.PI * v) / wave + phase), second, at);
  return picture;
}

function hue(random: RandomStream, turn: number): Picture {
  const picture = flat(pureHue(turn + random.uniform(-0.03, 0.03), random.uniform(0.55, 1), random.uniform(0.5, 1)));
  const light = fractalNoise(random, 3);
  shade(picture, (x, y) => 0.6 + 0.8 * light(x, y));
  const blots = valueNoise(random, 3);
  tint(picture, (x, y) => 6 * (blots(x, y) - 0.75), anyColour(random));
  return picture;
}

/** A colour of the given hue (turns), saturation and brightness. */
function pureHue(turn: number, saturation: number, brightness: number): Colour {
  const channel = (shift: number): number => {
    const k = (((6 * turn + shift) % 6) + 6) % 6;
    return brightness * (1 - saturation * Math.max(0, Math.min(k, 4 - k, 1)));
  };
  return [channel(5), channel(3), channel(1)];
}
