/** Digits as strokes in the unit square, x to the right and y down. */
import type { RandomStream } from "../engine/random";
import type { Point } from "./shapes";

type Lines = readonly (readonly Point[])[];

/** The ten digits in a hand's strokes. */
// prettier-ignore
const PEN: readonly Lines[] = [
  [[[0.5, 0], [0.86, 0.13], [1, 0.5], [0.86, 0.87], [0.5, 1], [0.14, 0.87], [0, 0.5], [0.14, 0.13], [0.5, 0]]],
  [[[0.2, 0.24], [0.56, 0], [0.56, 1]]],
  [[[0.03, 0.24], [0.22, 0.04], [0.6, 0], [0.93, 0.18], [0.9, 0.42], [0.5, 0.72], [0.02, 1], [1, 1]]],
  [[[0.05, 0.08], [0.5, 0], [0.92, 0.14], [0.9, 0.36], [0.42, 0.48], [0.92, 0.6], [0.97, 0.84], [0.55, 1], [0.03, 0.92]]],
  [[[0.72, 1], [0.72, 0], [0, 0.68], [1, 0.68]]],
  [[[0.94, 0], [0.14, 0], [0.08, 0.46], [0.55, 0.4], [0.95, 0.58], [0.94, 0.84], [0.52, 1], [0.03, 0.93]]],
  [[[0.82, 0.02], [0.4, 0.16], [0.08, 0.52], [0.06, 0.8], [0.4, 1], [0.82, 0.96], [0.98, 0.72], [0.8, 0.5], [0.4, 0.48], [0.07, 0.7]]],
  [[[0.02, 0], [1, 0], [0.4, 1]]],
  [[[0.5, 0.46], [0.14, 0.34], [0.14, 0.1], [0.5, 0], [0.86, 0.1], [0.86, 0.34], [0.5, 0.46],
    [0.06, 0.62], [0.06, 0.88], [0.5, 1], [0.94, 0.88], [0.94, 0.62], [0.5, 0.46]]],
  [[[0.94, 0.3], [0.6, 0.54], [0.2, 0.52], [0.02, 0.3], [0.2, 0.05], [0.6, 0], [0.93, 0.15], [0.94, 0.4], [0.8, 0.76], [0.5, 1]]],
];

/** The segments of a display: top, upper left, upper right, middle, lower left, lower right, bottom; the last one is a 1 in the middle. */
// prettier-ignore
const SEGMENTS: Lines = [
  [[0, 0], [1, 0]],
  [[0, 0], [0, 0.5]],
  [[1, 0], [1, 0.5]],
  [[0, 0.5], [1, 0.5]],
  [[0, 0.5], [0, 1]],
  [[1, 0.5], [1, 1]],
  [[0, 1], [1, 1]],
  [[0.5, 0], [0.5, 1]],
];

/** Which segments each digit lights. */
// prettier-ignore
const LIT: readonly (readonly number[])[] = [
  [0, 1, 2, 4, 5, 6], [7], [0, 2, 3, 4, 6], [0, 2, 3, 5, 6], [1, 2, 3, 5],
  [0, 1, 3, 5, 6], [0, 1, 3, 4, 5, 6], [0, 2, 5], [0, 1, 2, 3, 4, 5, 6], [0, 1, 2, 3, 5, 6],
];

/** A way to write digits. */
export type DigitStyle = "pen" | "segments";

/** Where and how a digit is written; lengths in pixels. */
export interface Handwriting {
  readonly style: DigitStyle;
  readonly width: number;
  readonly height: number;
  /** Radians. */
  readonly rotation: number;
  /** How far a point moves right for each pixel up. */
  readonly shear: number;
  /** The most that a vertex moves along each axis. */
  readonly tremor: number;
}

/** The strokes of a digit written around (cx, cy), in pixels; each vertex trembles by its own random amount. */
export function writeDigit(random: RandomStream, digit: number, cx: number, cy: number, hand: Handwriting): Point[][] {
  const lines = hand.style === "pen" ? PEN[digit]! : LIT[digit]!.map((segment) => SEGMENTS[segment]!);
  const [cos, sin] = [Math.cos(hand.rotation), Math.sin(hand.rotation)];
  return lines.map((line) =>
    line.map(([x, y]): Point => {
      const v = (y - 0.5) * hand.height + random.uniform(-hand.tremor, hand.tremor);
      const u = (x - 0.5) * hand.width - hand.shear * v + random.uniform(-hand.tremor, hand.tremor);
      return [cx + u * cos - v * sin, cy + u * sin + v * cos];
    }),
  );
}
