/** Cars from the side, facing either way: eight bodies, each of two makes. */
import type { RandomStream } from "../engine/random";
import { anyColour, frame, ground, jitter, paint, type Colour, type Frame, type Picture } from "./canvas";
import type { Generator, ImageClass } from "./generator";
import { box, convex, disc, type Point } from "./shapes";

/** A body in pixels; x grows towards the front and is 0 in the middle. */
interface Body {
  readonly name: string;
  readonly length: number;
  /** Height of the lower body. */
  readonly height: number;
  /** Ends of the roof. */
  readonly roof: readonly [rear: number, front: number];
  /** Ends of the cabin where it meets the lower body. */
  readonly base: readonly [rear: number, front: number];
  readonly cabin: number;
}

const BODIES: readonly Body[] = [
  { name: "sedan", length: 26, height: 5.2, roof: [-5, 2.5], base: [-9, 6.5], cabin: 5 },
  { name: "hatchback", length: 20, height: 5.8, roof: [-8, 1.5], base: [-9.5, 5.5], cabin: 5.6 },
  { name: "SUV", length: 24, height: 7.4, roof: [-10.5, 3], base: [-11.5, 6], cabin: 5.6 },
  { name: "pickup", length: 27, height: 5.6, roof: [0, 5], base: [-1, 8.5], cabin: 5.6 },
  { name: "van", length: 25, height: 7.6, roof: [-12, 7], base: [-12.2, 11.5], cabin: 7.4 },
  { name: "coupe", length: 25, height: 4.6, roof: [-4, 0], base: [-11.5, 5.5], cabin: 4.2 },
  { name: "convertible", length: 25, height: 5, roof: [1.6, 2.6], base: [2.2, 6], cabin: 3.4 },
  { name: "estate", length: 27, height: 5.2, roof: [-12, 3], base: [-13, 7], cabin: 5 },
];

/** What tells the two makes apart. */
const MAKES = ["plain", "sport"] as const;
type Make = (typeof MAKES)[number];
const MAKE_MARKS: Record<Make, string> = {
  plain: "small dark wheels",
  sport: "large wheels with light hubs, a window pillar and a stripe",
};

/** Cars-like makes and models. */
export const cars: Generator = {
  noise: 0.04,
  classes: BODIES.flatMap((body) =>
    MAKES.map((make): ImageClass => ({
      name: `${make} ${body.name}`,
      description: `A ${body.name} from the side with ${MAKE_MARKS[make]}`,
      draw: (random) => carInStreet(random, body, make),
    })),
  ),
};

function carInStreet(random: RandomStream, body: Body, make: Make): Picture {
  const street = random.uniform(24, 27);
  const picture = ground(
    random,
    random.pick<Colour>([
      [0.7, 0.8, 0.92],
      [0.78, 0.76, 0.72],
      [0.6, 0.68, 0.62],
    ]),
    0.08,
    4,
    0.12,
  );
  if (random.chance(0.5)) {
    const house = box(random.uniform(3, 29), random.uniform(4, 12), random.uniform(4, 9), random.uniform(5, 10));
    paint(picture, house, jitter(random, anyColour(random), 0.05), { opacity: 0.6 });
  }
  paint(picture, (_x, y) => street - y, jitter(random, [0.42, 0.42, 0.42], 0.1));
  const scale = random.uniform(0.9, 1.06);
  const at = frame(
    16 + random.uniform(-1.2, 1.2),
    street + random.uniform(0.5, 2),
    random.uniform(-0.03, 0.03),
    scale,
    random.pick([1, -1]),
  );
  drawCar(random, picture, at, body, make);
  return picture;
}

function drawCar(random: RandomStream, picture: Picture, at: Frame, body: Body, make: Make): void {
  const colour = anyColour(random);
  const glass = jitter(random, [0.25, 0.32, 0.4], 0.06);
  const wheel = make === "plain" ? 2.4 : 3.3;
  const bottom = -1.8;
  const waist = bottom - body.height;
  const half = body.length / 2;

  paint(picture, trapezoid(body, waist, 0), colour, { at });
  paint(picture, trapezoid(body, waist, 1), glass, { at });
  paint(picture, box(0, bottom - body.height / 2, half, body.height / 2), colour, { at });
  if (make === "sport") {
    const pillar = (body.roof[0] + body.roof[1]) / 2;
    paint(picture, box(pillar, waist - body.cabin / 2, 0.7, body.cabin / 2), colour, { at });
    const stripe: Colour = [1 - colour[0], 1 - colour[1], 1 - colour[2]];
    paint(picture, box(0, waist + 0.45 * body.height, half, 0.7), stripe, { at });
  }
  paint(picture, disc(half - 1, waist + 1.4, 0.9), [1, 0.95, 0.7], { at });
  for (const axle of [-0.31 * body.length, 0.31 * body.length]) {
    paint(picture, disc(axle, -wheel, wheel), jitter(random, [0.08, 0.08, 0.09], 0.04), { at });
    if (make === "sport") paint(picture, disc(axle, -wheel, 0.5 * wheel), jitter(random, [0.85, 0.85, 0.86], 0.06), { at });
  }
}

/** The cabin above the waist line, made smaller by `inset` on all sides. */
function trapezoid(body: Body, waist: number, inset: number): (x: number, y: number) => number {
  const corners: Point[] = [
    [body.roof[0], waist - body.cabin],
    [body.roof[1], waist - body.cabin],
    [body.base[1], waist],
    [body.base[0], waist],
  ];
  const shape = convex(corners);
  return (x, y) => shape(x, y) + inset;
}
