/** The patterns of the textures: each gives the share of the second colour at (u, v), with the origin in the picture's middle. */
import type { RandomStream } from "../engine/random";
import type { Field } from "./canvas";
import { fractalNoise } from "./noise";
import { repeated } from "./shapes";

/** 1 inside a signed distance, 0 outside, soft over one pixel. */
function inside(distance: number): number {
  return distance < -0.5 ? 1 : distance > 0.5 ? 0 : 0.5 - distance;
}

/** Distance from t to the nearest multiple of the period. */
function fromMultiple(t: number, period: number): number {
  return Math.abs(t - period * Math.round(t / period));
}

/** Bands with sharp edges, period 8–13 pixels. */
export function banded(random: RandomStream): Field {
  const period = random.uniform(8, 13);
  const phase = random.uniform(0, period);
  return (_u, v) => inside(fromMultiple(v + phase, period) - period / 4);
}

/** Thresholded fractal noise. */
export function blotchy(random: RandomStream): Field {
  const noise = fractalNoise(random, 4);
  const threshold = random.uniform(0.46, 0.54);
  return (u, v) => 0.5 + 12 * (noise(u + 16, v + 16) - threshold);
}

/** A chessboard with squares of 4.5–7.5 pixels. */
export function chequered(random: RandomStream): Field {
  const side = random.uniform(4.5, 7.5);
  const [a, b] = [random.uniform(0, side), random.uniform(0, side)];
  return (u, v) => {
    const across = fromMultiple(u + a, 2 * side) - side / 2;
    const down = fromMultiple(v + b, 2 * side) - side / 2;
    return inside(Math.sign(across) * Math.sign(down) * Math.min(Math.abs(across), Math.abs(down)));
  };
}

/** The edges of a Voronoi tiling of 8–14 random places. */
export function cracked(random: RandomStream): Field {
  const gap = nearestTwo(scatter(random, 8 + random.integer(7)));
  const width = random.uniform(0.6, 1.1);
  return (u, v) => {
    const [near, next] = gap(u, v);
    return inside((next - near) / 2 - width);
  };
}

/** 14–26 discs of radius 1–1.7 at random places. */
export function dotted(random: RandomStream): Field {
  const dots = scatter(random, 14 + random.integer(13));
  const radius = random.uniform(1, 1.7);
  const gap = nearestTwo(dots);
  return (u, v) => inside(gap(u, v)[0] - radius);
}

/** Large discs on a square lattice, 7–11 pixels apart. */
export function polkaDotted(random: RandomStream): Field {
  const period = random.uniform(7, 11);
  const radius = period * random.uniform(0.28, 0.36);
  const [a, b] = [random.uniform(0, period), random.uniform(0, period)];
  const dots = repeated((u, v) => Math.hypot(u, v) - radius, period);
  return (u, v) => inside(dots(u + a, v + b));
}

/** Thin lines crossing at right angles, 5–9 pixels apart. */
export function grid(random: RandomStream): Field {
  const period = random.uniform(5, 9);
  const [a, b] = [random.uniform(0, period), random.uniform(0, period)];
  return (u, v) => inside(Math.min(fromMultiple(u + a, period), fromMultiple(v + b, period)) - 0.65);
}

/** The edges of a Voronoi tiling of a hexagonal lattice, 7–10 pixels apart. */
export function honeycombed(random: RandomStream): Field {
  const period = random.uniform(7, 10);
  const centres: number[] = [];
  const [a, b] = [random.uniform(0, period), random.uniform(0, period)];
  for (let row = -5; row <= 5; row++) {
    for (let column = -5; column <= 5; column++) centres.push(a + period * (column + (row % 2 ? 0.5 : 0)), b + period * row * 0.866);
  }
  const gap = nearestTwo(centres);
  return (u, v) => {
    const [near, next] = gap(u, v);
    return inside((next - near) / 2 - 0.75);
  };
}

/** A sine wave bent by fractal noise. */
export function marbled(random: RandomStream): Field {
  const noise = fractalNoise(random, 3);
  const period = random.uniform(7, 11);
  const phase = random.uniform(0, 2 * Math.PI);
  return (u, v) => 0.5 + 0.5 * Math.sin((2 * Math.PI * (u + 22 * (noise(u + 16, v + 16) - 0.5))) / period + phase);
}

/** A spiral with one or two arms around a place near the middle, turning either way. */
export function spiralled(random: RandomStream): Field {
  const arms = random.pick([1, 2]) * random.pick([1, -1]);
  const period = random.uniform(6.5, 9.5) * (Math.abs(arms) === 2 ? 1.25 : 1);
  const [cu, cv, phase] = [random.uniform(-3, 3), random.uniform(-3, 3), random.uniform(0, 2 * Math.PI)];
  return (u, v) => {
    const turn = (2 * Math.PI * Math.hypot(u - cu, v - cv)) / period + arms * Math.atan2(v - cv, u - cu) + phase;
    return 0.5 + 1.2 * Math.sin(turn);
  };
}

/** A fine sine wave, period 2.6–4.2 pixels. */
export function lined(random: RandomStream): Field {
  const period = random.uniform(2.6, 4.2);
  const phase = random.uniform(0, 2 * Math.PI);
  return (_u, v) => 0.5 + 0.5 * Math.sin((2 * Math.PI * v) / period + phase);
}

/** Cells of 5–8 pixels in which the strand on top lies across and down in turn. */
export function woven(random: RandomStream): Field {
  const side = random.uniform(5, 8);
  const [a, b] = [random.uniform(0, 2 * side), random.uniform(0, 2 * side)];
  return (u, v) => {
    const column = Math.floor((u + a) / side);
    const row = Math.floor((v + b) / side);
    const across = fromMultiple(u + a - side / 2, side);
    const down = fromMultiple(v + b - side / 2, side);
    // The strand on top is light in its middle; the other one is dark.
    return (column + row) % 2 === 0 ? 1 - (1.7 * down) / side : (0.9 * across) / side;
  };
}

/** Bands bent by a triangle wave. */
export function zigzagged(random: RandomStream): Field {
  const period = random.uniform(6, 9);
  const [length, height] = [random.uniform(8, 12), random.uniform(3, 4.5)];
  const [a, b] = [random.uniform(0, length), random.uniform(0, period)];
  return (u, v) => inside(fromMultiple(v + b + height * (1 - (4 * fromMultiple(u + a, length)) / length), period) - period / 4);
}

/** Bright near the places of a random scatter, darker with the squared distance to the nearest one. */
export function bubbly(random: RandomStream): Field {
  const gap = nearestTwo(scatter(random, 10 + random.integer(7)));
  const size = random.uniform(5, 6.5);
  return (u, v) => 1.1 - (gap(u, v)[0] / size) ** 2;
}

/** `count` places over the picture and a little beyond, none too close to another while that can be had; x and y in turn. */
function scatter(random: RandomStream, count: number): number[] {
  const apart = 0.6 * Math.sqrt((40 * 40) / count);
  const places: number[] = [];
  for (let place = 0; place < count; place++) {
    let [x, y] = [0, 0];
    for (let attempt = 0; attempt < 8; attempt++) {
      [x, y] = [random.uniform(-20, 20), random.uniform(-20, 20)];
      if (places.every((_, at) => at % 2 === 1 || Math.hypot(places[at]! - x, places[at + 1]! - y) > apart)) break;
    }
    places.push(x, y);
  }
  return places;
}

/** Distances from a place to the nearest and to the next of the centres. The returned pair is reused from call to call. */
function nearestTwo(centres: readonly number[]): (u: number, v: number) => readonly [number, number] {
  const flat = Float64Array.from(centres);
  const answer: [number, number] = [0, 0];
  return (u, v) => {
    let [near, next] = [Infinity, Infinity];
    for (let at = 0; at < flat.length; at += 2) {
      const squared = (u - flat[at]!) ** 2 + (v - flat[at + 1]!) ** 2;
      if (squared < near) [near, next] = [squared, near];
      else if (squared < next) next = squared;
    }
    answer[0] = Math.sqrt(near);
    answer[1] = Math.sqrt(next);
    return answer;
  };
}
