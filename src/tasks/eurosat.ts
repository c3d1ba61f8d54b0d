/** Land from a satellite, ten classes, each at any rotation. */
import type { RandomStream } from "../engine/random";
import { frame, ground, jitter, paint, shade, tint, within, type Colour, type Frame, type Picture } from "./canvas";
import type { Generator } from "./generator";
import { fractalNoise } from "./noise";
import { band, below, box, disc, repeated } from "./shapes";

/** EuroSAT-like land use and land cover. */
export const eurosat: Generator = {
  noise: 0.03,
  classes: [
    { name: "annual crop", description: "Broad parallel strips of brown, tan, olive and green with fine furrows", draw: annualCrop },
    { name: "forest", description: "Dark green with strong fine texture", draw: forest },
    { name: "herbaceous vegetation", description: "Olive with soft broad mottling", draw: herbaceous },
    { name: "highway", description: "One slightly curved dark road with a light centre line", draw: highway },
    { name: "industrial", description: "Three to six large bright roofs on grey", draw: industrial },
    { name: "pasture", description: "Light green with thin dark hedges", draw: pasture },
    { name: "permanent crop", description: "A regular lattice of dark green dots on brown", draw: permanentCrop },
    { name: "residential", description: "A lattice of small separate roofs", draw: residential },
    { name: "river", description: "A winding blue-grey band through fields", draw: river },
    { name: "sea or lake", description: "Nearly uniform dark blue, sometimes with a shore", draw: sea },
  ],
};

const BROWN: Colour = [0.47, 0.34, 0.22];
const TAN: Colour = [0.72, 0.61, 0.42];
const OLIVE: Colour = [0.45, 0.46, 0.2];
const GREEN: Colour = [0.3, 0.5, 0.22];

function anyTurn(random: RandomStream, spread = 3): Frame {
  return frame(16 + random.uniform(-spread, spread), 16 + random.uniform(-spread, spread), random.uniform(0, 2 * Math.PI));
}

function annualCrop(random: RandomStream): Picture {
  const at = anyTurn(random);
  const picture = ground(random, BROWN, 0.08);
  const palette = random.permutation(4);
  let strip = 0;
  for (let edge = -26 - random.uniform(0, 6); edge < 26; strip++) {
    const width = random.uniform(6, 12);
    const colour = [BROWN, TAN, OLIVE, GREEN][palette[strip % 4]!]!;
    paint(picture, band(edge + width / 2, width / 2), jitter(random, colour, 0.05), { at });
    edge += width;
  }
  const period = random.uniform(2.5, 4);
  shade(picture, (_u, v) => 1 + 0.1 * Math.sin((2 * Math.PI * v) / period), at);
  return picture;
}

function forest(random: RandomStream): Picture {
  const picture = ground(random, [0.12, 0.26, 0.12], 0.3, 4, 0.05);
  const crowns = fractalNoise(random, 8);
  shade(picture, (x, y) => 1 + 1.6 * (crowns(x, y) - 0.5));
  return picture;
}

function herbaceous(random: RandomStream): Picture {
  const picture = ground(random, OLIVE, 0.12, 2);
  const patches = fractalNoise(random, 2);
  const colour = jitter(random, [0.6, 0.56, 0.32]);
  tint(picture, (x, y) => 5 * (patches(x, y) - 0.45), colour);
  return picture;
}

function highway(random: RandomStream): Picture {
  const at = anyTurn(random, 5);
  const picture = ground(random, random.pick([GREEN, OLIVE, TAN]), 0.15);
  const bend = random.uniform(-0.012, 0.012);
  const halfWidth = random.uniform(1.5, 2.8);
  const road = jitter(random, [0.27, 0.27, 0.3], 0.06);
  paint(picture, (u, v) => Math.abs(v - bend * u * u) - halfWidth, road, { at });
  paint(picture, (u, v) => Math.abs(v - bend * u * u) - 0.35, jitter(random, [0.85, 0.85, 0.8], 0.06), { at });
  return picture;
}

function industrial(random: RandomStream): Picture {
  const at = anyTurn(random);
  const picture = ground(random, [0.42, 0.42, 0.43], 0.12);
  const halls = 3 + random.integer(4);
  for (let hall = 0; hall < halls; hall++) {
    const roof = box(random.uniform(-13, 13), random.uniform(-13, 13), random.uniform(3, 6.5), random.uniform(2.5, 5));
    paint(picture, (u, v) => roof(u - 1, v - 1), [0.2, 0.2, 0.22], { at });
    paint(
      picture,
      roof,
      jitter(
        random,
        random.pick<Colour>([
          [0.88, 0.88, 0.88],
          [0.78, 0.82, 0.9],
          [0.85, 0.75, 0.68],
        ]),
      ),
      { at },
    );
  }
  return picture;
}

function pasture(random: RandomStream): Picture {
  const at = anyTurn(random);
  const picture = ground(random, [0.5, 0.68, 0.32], 0.08);
  const hedges = 1 + random.integer(3);
  const hedge = jitter(random, [0.15, 0.28, 0.12], 0.05);
  for (let index = 0; index < hedges; index++) {
    const along = within(at, 0, 0, random.chance(0.5) ? 0 : Math.PI / 2);
    paint(picture, band(random.uniform(-12, 12), random.uniform(0.5, 0.9)), hedge, { at: along });
  }
  return picture;
}

function permanentCrop(random: RandomStream): Picture {
  const at = anyTurn(random);
  const picture = ground(random, [0.58, 0.44, 0.3], 0.1);
  const period = random.uniform(4, 6);
  const tree = jitter(random, [0.16, 0.32, 0.13], 0.05);
  paint(picture, repeated(disc(0, 0, 0.32 * period), period), tree, { at });
  return picture;
}

function residential(random: RandomStream): Picture {
  const at = anyTurn(random);
  const picture = ground(
    random,
    random.pick<Colour>([
      [0.36, 0.45, 0.3],
      [0.45, 0.45, 0.42],
    ]),
    0.15,
  );
  const period = random.uniform(5, 7);
  const reach = Math.ceil(24 / period);
  for (let row = -reach; row <= reach; row++) {
    for (let column = -reach; column <= reach; column++) {
      const house = within(at, period * column + random.uniform(-0.7, 0.7), period * row + random.uniform(-0.7, 0.7));
      const roof = random.pick<Colour>([
        [0.68, 0.36, 0.28],
        [0.75, 0.7, 0.66],
        [0.55, 0.42, 0.36],
      ]);
      const shape = box(0, 0, random.uniform(1.2, 0.32 * period), random.uniform(1.2, 0.32 * period));
      paint(picture, shape, jitter(random, roof), { at: house, reach: 5 });
    }
  }
  return picture;
}

function river(random: RandomStream): Picture {
  const at = anyTurn(random);
  const picture = ground(random, random.pick([GREEN, OLIVE]), 0.15);
  const [sway, length, phase] = [random.uniform(2, 5), random.uniform(22, 40), random.uniform(0, 2 * Math.PI)];
  const halfWidth = random.uniform(2.5, 5);
  const water = jitter(random, [0.3, 0.42, 0.55], 0.06);
  paint(picture, (u, v) => Math.abs(v - sway * Math.sin((2 * Math.PI * u) / length + phase)) - halfWidth, water, { at });
  return picture;
}

function sea(random: RandomStream): Picture {
  const picture = ground(random, [0.08, 0.18, 0.36], 0.06, 3, 0.06);
  if (random.chance(0.3)) {
    const at = anyTurn(random);
    const coast = fractalNoise(random, 4);
    const shore = below(random.uniform(5, 11));
    paint(picture, (u, v) => shore(u, v + 5 * (coast(u + 16, 16) - 0.5)), jitter(random, GREEN), { at });
  }
  return picture;
}
