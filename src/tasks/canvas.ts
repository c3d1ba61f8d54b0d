/**
 * Drawing on 32 x 32 pictures with soft edges.
 *
 * A picture is three planes (red, green, blue) of 32 x 32 numbers in [0, 1]. A shape is a signed distance: negative inside, positive
 * outside, in pixels. Pixel (row, column) has its centre at x = column + 0.5, y = row + 0.5, so coordinates run from 0.5 to 31.5.
 */
import { randomStream, type RandomStream } from "../engine/random";
import { fractalNoise } from "./noise";

/** Rows and columns of every picture. */
export const SIDE = 32;
/** Pixels of one plane. */
export const PIXELS = SIDE * SIDE;

/** Planes red, green, blue, each [32, 32]; numbers in [0, 1] once finished. */
export type Picture = Float64Array;
/** Red, green, blue in [0, 1]. */
export type Colour = readonly [number, number, number];
/** A number for each place. As a shape: the signed distance to its edge, in pixels, negative inside. */
export type Field = (x: number, y: number) => number;

/** Where local coordinates lie in the picture: an origin, a rotation, a scale and perhaps a mirror. */
export interface Frame {
  readonly x: number;
  readonly y: number;
  readonly cos: number;
  readonly sin: number;
  readonly scale: number;
  readonly mirror: 1 | -1;
}

/** A frame with its origin at (x, y), turned by `angle` radians (clockwise on the screen); one local unit is `scale` pixels. */
export function frame(x: number, y: number, angle = 0, scale = 1, mirror: 1 | -1 = 1): Frame {
  return { x, y, cos: Math.cos(angle), sin: Math.sin(angle), scale, mirror };
}

/** The frame whose origin is the local point (u, v) of `outer`, turned further by `angle`; same scale and mirror. */
export function within(outer: Frame, u: number, v: number, angle = 0): Frame {
  const [a, b] = [u * outer.scale * outer.mirror, v * outer.scale];
  const turned = Math.atan2(outer.sin, outer.cos) + angle;
  return frame(outer.x + a * outer.cos - b * outer.sin, outer.y + a * outer.sin + b * outer.cos, turned, outer.scale, outer.mirror);
}

const WHOLE = frame(0, 0);

/** Calls `visit(index, u, v)` for each pixel, in rows; (u, v) are its local coordinates. `reach` (pixels) limits it to a square around the origin. */
export function eachPixel(place: Frame, visit: (index: number, u: number, v: number) => void, reach = Infinity): void {
  const { x, y, cos, sin, scale, mirror } = place;
  const firstColumn = Math.max(0, Math.floor(x - reach));
  const lastColumn = Math.min(SIDE - 1, Math.ceil(x + reach));
  const firstRow = Math.max(0, Math.floor(y - reach));
  const lastRow = Math.min(SIDE - 1, Math.ceil(y + reach));
  for (let row = firstRow; row <= lastRow; row++) {
    for (let column = firstColumn; column <= lastColumn; column++) {
      const dx = column + 0.5 - x;
      const dy = row + 0.5 - y;
      visit(row * SIDE + column, (mirror * (dx * cos + dy * sin)) / scale, (dy * cos - dx * sin) / scale);
    }
  }
}

/** How `paint` lays a shape down. */
export interface PaintOptions {
  /** The frame of the shape's coordinates; the picture's own by default. */
  readonly at?: Frame;
  /** Width of the soft edge, pixels. */
  readonly softness?: number;
  /** Opacity inside the shape, 0 to 1. */
  readonly opacity?: number;
  /** Only pixels closer than this to the frame's origin (in rows and columns) are looked at; for small shapes. */
  readonly reach?: number;
}

/** Paints a shape in one colour over the picture, with the soft coverage clip(0.5 - distance / softness, 0, 1). */
export function paint(picture: Picture, shape: Field, colour: Colour, options: PaintOptions = {}): void {
  const { at = WHOLE, softness = 1, opacity = 1, reach = Infinity } = options;
  const slope = at.scale / softness;
  eachPixel(
    at,
    (index, u, v) => {
      const coverage = 0.5 - shape(u, v) * slope;
      if (coverage <= 0) return;
      mixPixel(picture, index, colour, opacity * (coverage < 1 ? coverage : 1));
    },
    reach,
  );
}

/** Mixes one colour into the picture; `amount` gives the share (0 to 1) at each place of `at`. */
export function tint(picture: Picture, amount: Field, colour: Colour, at: Frame = WHOLE): void {
  eachPixel(at, (index, u, v) => mixPixel(picture, index, colour, Math.min(1, Math.max(0, amount(u, v)))));
}

function mixPixel(picture: Picture, index: number, colour: Colour, amount: number): void {
  picture[index] = picture[index]! + amount * (colour[0] - picture[index]!);
  picture[index + PIXELS] = picture[index + PIXELS]! + amount * (colour[1] - picture[index + PIXELS]!);
  picture[index + 2 * PIXELS] = picture[index + 2 * PIXELS]! + amount * (colour[2] - picture[index + 2 * PIXELS]!);
}

/** Multiplies all three planes by `factor` at each place of `at`. */
export function shade(picture: Picture, factor: Field, at: Frame = WHOLE): void {
  eachPixel(at, (index, u, v) => {
    const by = factor(u, v);
    picture[index] = picture[index]! * by;
    picture[index + PIXELS] = picture[index + PIXELS]! * by;
    picture[index + 2 * PIXELS] = picture[index + 2 * PIXELS]! * by;
  });
}

/** A picture of one colour. */
export function flat(colour: Colour): Picture {
  const picture = new Float64Array(3 * PIXELS);
  for (let channel = 0; channel < 3; channel++) picture.fill(colour[channel]!, channel * PIXELS, (channel + 1) * PIXELS);
  return picture;
}

/** The colour with each channel moved by up to `amount` either way, kept in [0, 1]. */
export function jitter(random: RandomStream, colour: Colour, amount = 0.08): Colour {
  const move = (value: number): number => Math.min(1, Math.max(0, value + random.uniform(-amount, amount)));
  return [move(colour[0]), move(colour[1]), move(colour[2])];
}

/** Any colour at all. */
export function anyColour(random: RandomStream): Colour {
  return [random.uniform(), random.uniform(), random.uniform()];
}

/** A textured ground: the jittered colour times 1 + 2·texture·(fractal noise - 0.5), the coarsest noise having `cells` cells a side. */
export function ground(random: RandomStream, colour: Colour, texture = 0.1, cells = 4, amount = 0.08): Picture {
  const picture = flat(jitter(random, colour, amount));
  const noise = fractalNoise(random, cells);
  shade(picture, (x, y) => 1 + 2 * texture * (noise(x, y) - 0.5));
  return picture;
}

/** What every camera does: gain 0.8–1.15, offset ±0.06, Gaussian noise of the given standard deviation, clipped to [0, 1]; in place. */
export function finish(picture: Picture, random: RandomStream, noise: number): Picture {
  const gain = random.uniform(0.8, 1.15);
  const offset = random.uniform(-0.06, 0.06);
  for (let index = 0; index < picture.length; index++) picture[index] = picture[index]! * gain + offset;
  return addNoise(picture, random, noise);
}

/** Standard normal numbers to choose from: drawing each one anew would take longer than all the rest of a picture. */
const NORMALS = randomStream(0, "tasks", "normals").normals(2 ** 16);

/** Adds Gaussian noise and clips to [0, 1]; in place. Each half of a random word chooses one of 65,536 normal numbers. */
export function addNoise(picture: Picture, random: RandomStream, standardDeviation: number): Picture {
  for (let index = 0; index < picture.length; index += 2) {
    const word = random.word();
    picture[index] = clip(picture[index]! + standardDeviation * NORMALS[word & 0xffff]!);
    picture[index + 1] = clip(picture[index + 1]! + standardDeviation * NORMALS[word >>> 16]!);
  }
  return picture;
}

function clip(value: number): number {
  return value < 0 ? 0 : value > 1 ? 1 : value;
}

/** Writes the picture as bytes (round(255·x)) at `offset` of an image set. */
export function writeBytes(picture: Picture, images: Uint8Array, offset: number): void {
  for (let index = 0; index < picture.length; index++) images[offset + index] = Math.floor(255 * clip(picture[index]!) + 0.5);
}
