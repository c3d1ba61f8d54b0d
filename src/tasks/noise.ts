import type { RandomStream } from "../engine/random";
import type { Field } from "./canvas";

const PICTURE_SIDE = 32;

/**
 * Value noise: random numbers in [0, 1] on a lattice of `cells` x `cells` squares over the picture, joined by smoothstep. Outside the
 * picture the border goes on.
 */
export function valueNoise(random: RandomStream, cells: number): Field {
  const stride = cells + 1;
  const lattice = new Float64Array(stride * stride);
  for (let node = 0; node < lattice.length; node++) lattice[node] = random.uniform();
  const perPixel = cells / PICTURE_SIDE;
  return (x, y) => {
    const column = Math.min(Math.max(Math.floor(x * perPixel), 0), cells - 1);
    const row = Math.min(Math.max(Math.floor(y * perPixel), 0), cells - 1);
    const a = smoothstep(x * perPixel - column);
    const b = smoothstep(y * perPixel - row);
    const node = row * stride + column;
    const top = lattice[node]! + a * (lattice[node + 1]! - lattice[node]!);
    const bottom = lattice[node + stride]! + a * (lattice[node + stride + 1]! - lattice[node + stride]!);
    return top + b * (bottom - top);
  };
}

/** Fractal noise in [0, 1]: three octaves of value noise, from `cells` cells a side, with shares 0.5, 0.3, 0.2. */
export function fractalNoise(random: RandomStream, cells: number): Field {
  const coarse = valueNoise(random, cells);
  const middle = valueNoise(random, 2 * cells);
  const fine = valueNoise(random, 4 * cells);
  return (x, y) => 0.5 * coarse(x, y) + 0.3 * middle(x, y) + 0.2 * fine(x, y);
}

function smoothstep(t: number): number {
  const s = t < 0 ? 0 : t > 1 ? 1 : t;
  return s * s * (3 - 2 * s);
}
