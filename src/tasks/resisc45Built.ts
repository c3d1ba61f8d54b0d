/** The classes of RESISC45 that people built for traffic and living. */
import type { RandomStream } from "../engine/random";
import { frame, ground, jitter, paint, within, type Colour, type Frame, type Picture } from "./canvas";
import { band, box, disc, either, ring, stroke, strokes } from "./shapes";

/** Colours that several scenes share. */
export const GRASS: Colour = [0.34, 0.5, 0.26];
/** Dry sand. */
export const SAND: Colour = [0.8, 0.72, 0.52];
/** Open water. */
export const WATER: Colour = [0.16, 0.36, 0.5];
const ASPHALT: Colour = [0.4, 0.4, 0.42];
const CONCRETE: Colour = [0.64, 0.63, 0.6];
const WHITE: Colour = [0.93, 0.93, 0.93];

/** Any rotation, scale 0.8–1.15, the middle moved by up to `spread` pixels. */
export function anyView(random: RandomStream, spread = 2): Frame {
  const [x, y] = [16 + random.uniform(-spread, spread), 16 + random.uniform(-spread, spread)];
  return frame(x, y, random.uniform(0, 2 * Math.PI), random.uniform(0.8, 1.15));
}

/** Fuselage, swept wings and tail as strokes with round ends, and their shadow. */
export function airplane(random: RandomStream): Picture {
  const at = anyView(random);
  const picture = ground(
    random,
    random.pick<Colour>([
      [0.5, 0.5, 0.5],
      [0.62, 0.55, 0.42],
    ]),
    0.08,
  );
  const sweep = random.uniform(2, 5);
  const parts = either(
    stroke(
      [
        [-11, 0],
        [11, 0],
      ],
      random.uniform(1.4, 1.9),
    ),
    strokes(
      [
        [
          [sweep - 3, -11],
          [1, 0],
          [sweep - 3, 11],
        ].map(([u, v]) => [-u!, v!] as const),
      ],
      1.3,
    ),
    strokes(
      [
        [
          [-11.5, -4.5],
          [-9, 0],
          [-11.5, 4.5],
        ],
      ],
      0.9,
    ),
  );
  paint(picture, (u, v) => parts(u - 1, v - 1.5), [0.25, 0.25, 0.25], { at, opacity: 0.5 });
  paint(picture, parts, jitter(random, WHITE, 0.05), { at });
  return picture;
}

/** Water between two banks, a straight strip across, its shadow beside it. */
export function bridge(random: RandomStream): Picture {
  const at = anyView(random);
  const picture = ground(random, WATER, 0.06);
  const halfRiver = random.uniform(6, 10);
  const bank = jitter(random, GRASS);
  paint(picture, (u) => halfRiver - Math.abs(u), bank, { at });
  paint(picture, band(0.8, random.uniform(2, 2.8)), [0.08, 0.12, 0.16], { at, opacity: 0.5 });
  paint(picture, band(0, random.uniform(1.6, 2.4)), jitter(random, CONCRETE), { at });
  return picture;
}

/** Roofs on a lattice of 4.5–6 pixels with narrow streets between. */
export function dense(random: RandomStream): Picture {
  const at = anyView(random);
  const picture = ground(random, [0.38, 0.38, 0.36], 0.1);
  const period = random.uniform(4.5, 6);
  const reach = Math.ceil(24 / (period * at.scale));
  for (let row = -reach; row <= reach; row++) {
    for (let column = -reach; column <= reach; column++) {
      const house = within(at, period * column + random.uniform(-0.3, 0.3), period * row + random.uniform(-0.3, 0.3));
      const roof = random.pick<Colour>([
        [0.66, 0.38, 0.28],
        [0.74, 0.62, 0.52],
        [0.58, 0.52, 0.5],
        [0.78, 0.5, 0.38],
      ]);
      paint(picture, box(0, 0, 0.38 * period, 0.36 * period), jitter(random, roof), { at: house, reach: 5 });
    }
  }
  return picture;
}

/** Two roads crossing nearly at right angles; the centre lines stop before the crossing. */
export function intersection(random: RandomStream): Picture {
  const at = anyView(random, 3);
  const picture = ground(random, random.pick([GRASS, [0.55, 0.5, 0.44] as Colour]), 0.15);
  const halfWidth = random.uniform(2.6, 3.8);
  const road = jitter(random, ASPHALT, 0.05);
  const crossing = within(at, 0, 0, Math.PI / 2 + random.uniform(-0.25, 0.25));
  for (const way of [at, crossing]) paint(picture, band(0, halfWidth), road, { at: way });
  const line = jitter(random, [0.9, 0.86, 0.6], 0.06);
  for (const way of [at, crossing])
    paint(picture, (u, v) => Math.max(Math.abs(v) - 0.45, halfWidth + 0.5 - Math.abs(u)), line, { at: way });
  return picture;
}

/** Piers with boats moored on either side, some berths empty. */
export function harbor(random: RandomStream): Picture {
  const at = anyView(random);
  const picture = ground(random, WATER, 0.06);
  const pier = jitter(random, CONCRETE);
  const boatSpacing = random.uniform(3, 3.8);
  const pierSpacing = random.uniform(13, 16);
  const first = random.uniform(-5, 5);
  for (const shift of [-2, -1, 0, 1, 2]) {
    const v = first + shift * pierSpacing;
    paint(picture, band(v, 1), pier, { at });
    for (let u = -24; u <= 24; u += boatSpacing) {
      for (const side of [-1, 1]) {
        if (random.chance(0.15)) continue;
        const berth = within(at, u + random.uniform(-0.3, 0.3), v + side * 4);
        paint(
          picture,
          stroke(
            [
              [0, -1.6],
              [0, 1.6],
            ],
            0.75,
          ),
          jitter(random, WHITE, 0.06),
          { at: berth, reach: 5 },
        );
      }
    }
  }
  return picture;
}

/** Rows of cars of any colour, some places empty. */
export function parking(random: RandomStream): Picture {
  const at = anyView(random);
  const picture = ground(random, [0.33, 0.33, 0.35], 0.06);
  const [carWidth, rowHeight] = [random.uniform(2.8, 3.4), random.uniform(7.5, 9)];
  const [firstU, firstV] = [random.uniform(0, carWidth), random.uniform(0, rowHeight)];
  for (let v = firstV - 3 * rowHeight; v < 26; v += rowHeight) {
    for (let u = firstU - 9 * carWidth; u < 26; u += carWidth) {
      if (random.chance(0.15)) continue;
      const car: Colour = [random.uniform(0.1, 1), random.uniform(0.1, 1), random.uniform(0.1, 1)];
      paint(picture, box(0, 0, 0.33 * carWidth, 2.1), car, { at: within(at, u, v), reach: 4 });
    }
  }
  return picture;
}

/** A ring of road, four arms outwards, a planted middle. */
export function roundabout(random: RandomStream): Picture {
  const at = anyView(random);
  const picture = ground(random, GRASS, 0.15);
  const road = jitter(random, CONCRETE, 0.05);
  const radius = random.uniform(6.5, 8.5);
  const halfWidth = random.uniform(1.5, 2.1);
  const arm = (u: number, v: number): number => Math.max(Math.min(Math.abs(u), Math.abs(v)) - halfWidth, radius - Math.hypot(u, v));
  paint(picture, either(ring(0, 0, radius, halfWidth), arm), road, { at });
  paint(picture, disc(0, 0, 0.35 * radius), jitter(random, [0.2, 0.36, 0.18], 0.05), { at });
  return picture;
}

/** A dark strip with a dashed centre line and two edge lines. */
export function runway(random: RandomStream): Picture {
  const at = anyView(random, 4);
  const picture = ground(random, random.pick<Colour>([GRASS, [0.62, 0.56, 0.4]]), 0.12);
  const halfWidth = random.uniform(4.5, 6);
  paint(picture, band(0, halfWidth), jitter(random, [0.3, 0.3, 0.32], 0.05), { at });
  const dash = random.uniform(5, 7);
  const phase = random.uniform(0, dash);
  const marks = (u: number, v: number): number =>
    Math.max(Math.abs(v) - 0.6, Math.abs(u + phase - dash * Math.round((u + phase) / dash)) - 0.3 * dash);
  paint(picture, either(marks, band(halfWidth - 1, 0.4), band(1 - halfWidth, 0.4)), jitter(random, WHITE, 0.05), { at });
  return picture;
}
