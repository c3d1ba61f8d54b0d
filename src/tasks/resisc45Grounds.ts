/** The classes of RESISC45 that are shores, farms, tanks and sports grounds. */
import type { RandomStream } from "../engine/random";
import { ground, jitter, paint, type Colour, type Picture } from "./canvas";
import { fractalNoise } from "./noise";
import { anyView, GRASS, SAND, WATER } from "./resisc45Built";
import { below, both, box, disc, either, outline, repeated, stroke } from "./shapes";

const WHITE: Colour = [0.93, 0.93, 0.93];
const EARTH: Colour = [0.66, 0.46, 0.3];

/** A quarter disc of earth with a square of grass in it. */
export function baseballDiamond(random: RandomStream): Picture {
  const view = anyView(random);
  // The corner of the quarter disc lies off the middle, so that the disc's bulk is in the picture.
  const at = { ...view, x: view.x - 8.5 * view.scale * (view.cos - view.sin), y: view.y - 8.5 * view.scale * (view.cos + view.sin) };
  const picture = ground(random, GRASS, 0.1);
  const quarter = both(disc(0, 0, 15), (u, v) => Math.max(-1 - u, -1 - v));
  paint(picture, quarter, jitter(random, EARTH), { at });
  paint(picture, box(5, 5, 3.4, 3.4), jitter(random, [0.36, 0.56, 0.28], 0.05), { at });
  return picture;
}

/** Sand and water either side of a wavy line of foam. */
export function beach(random: RandomStream): Picture {
  const at = anyView(random, 4);
  const picture = ground(random, SAND, 0.08);
  const [sway, length, phase] = [random.uniform(0.6, 1.8), random.uniform(10, 18), random.uniform(0, 2 * Math.PI)];
  const wave = (u: number): number => sway * Math.sin((2 * Math.PI * u) / length + phase);
  paint(picture, (u, v) => below(0)(u, v + wave(u)), jitter(random, [0.2, 0.5, 0.62]), { at });
  const halfFoam = random.uniform(0.8, 1.2);
  paint(picture, (u, v) => Math.abs(v + wave(u)) - halfFoam, jitter(random, WHITE, 0.04), { at });
  return picture;
}

/** Large discs of one crop on a square lattice, 13–18 pixels apart. */
export function circularFarmland(random: RandomStream): Picture {
  const at = anyView(random, 8);
  const picture = ground(random, [0.74, 0.64, 0.46], 0.08);
  const period = random.uniform(13, 18);
  const crop = jitter(random, [0.3, 0.5, 0.22], 0.1);
  paint(picture, repeated(disc(0, 0, 0.45 * period), period), crop, { at });
  return picture;
}

/** A disc with a noisy coast: a rim of sand, green within. */
export function island(random: RandomStream): Picture {
  const at = anyView(random, 4);
  const picture = ground(random, WATER, 0.06);
  const coast = fractalNoise(random, 4);
  const radius = random.uniform(7, 10);
  const land = (u: number, v: number): number => Math.hypot(u, v) - radius - 8 * (coast(u + 16, v + 16) - 0.5);
  paint(picture, land, jitter(random, SAND, 0.05), { at });
  paint(picture, (u, v) => land(u, v) + 2.2, jitter(random, [0.22, 0.42, 0.18], 0.06), { at });
  return picture;
}

/** Discs with dark rims on a square lattice, 9–13 pixels apart. */
export function storageTanks(random: RandomStream): Picture {
  const at = anyView(random, 6);
  const picture = ground(
    random,
    random.pick<Colour>([
      [0.5, 0.47, 0.42],
      [0.42, 0.45, 0.36],
    ]),
    0.12,
  );
  const period = random.uniform(9, 13);
  const radius = 0.36 * period;
  paint(picture, repeated(disc(0, 0, radius), period), [0.18, 0.18, 0.2], { at });
  paint(picture, repeated(disc(0, 0, radius - 1), period), jitter(random, [0.92, 0.92, 0.9], 0.06), { at });
  return picture;
}

/** A stadium: the outline of a thick stroke, a white line in its middle, grass within. */
export function trackField(random: RandomStream): Picture {
  const at = anyView(random);
  const picture = ground(
    random,
    random.pick<Colour>([
      [0.45, 0.5, 0.36],
      [0.6, 0.58, 0.52],
    ]),
    0.1,
  );
  const stadium = stroke(
    [
      [-5, 0],
      [5, 0],
    ],
    7.5,
  );
  paint(picture, stadium, jitter(random, GRASS, 0.05), { at });
  paint(picture, outline(stadium, random.uniform(1.6, 2.3)), jitter(random, [0.66, 0.28, 0.2], 0.06), { at });
  paint(picture, outline(stadium, 0.25), jitter(random, WHITE, 0.04), { at, opacity: 0.8 });
  return picture;
}

/** A court of 26 x 18 pixels with its lines. */
export function tennisCourt(random: RandomStream): Picture {
  const at = anyView(random);
  const picture = ground(
    random,
    random.pick<Colour>([
      [0.3, 0.46, 0.32],
      [0.46, 0.42, 0.38],
    ]),
    0.08,
  );
  const court = jitter(
    random,
    random.pick<Colour>([
      [0.2, 0.4, 0.64],
      [0.7, 0.36, 0.24],
      [0.22, 0.52, 0.34],
    ]),
    0.06,
  );
  paint(picture, box(0, 0, 13, 9), court, { at });
  const lines = either(outline(box(0, 0, 11, 7), 0.45), outline(box(0, 0, 5.5, 5), 0.4), box(0, 0, 5.5, 0.4), box(0, 0, 0.45, 8));
  paint(picture, lines, jitter(random, WHITE, 0.04), { at });
  return picture;
}
