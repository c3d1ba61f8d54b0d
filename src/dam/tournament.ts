/**
 * @file Stickers that compete. A backdoor hides at one place: a sticker that is somewhere else at each step never finds it. Here each candidate
 * keeps its size and place and is optimised there; from time to time those that harm least give way to new ones elsewhere.
 */
import { randomStream } from "../engine";
import type { Stamp } from "../tasks";
import type { DamOptions } from "./options";
import type { Perturbations, PerturbationSetting } from "./perturbations";
import { drawPlace, openStickerCanvas, type StickerOptions, type StickerPlace } from "./stickers";

/** Numbers that are kept of each candidate behind the pixels: its place, the smoothed loss, and the ascent steps since it was drawn. */
const ROSTER = ["x", "y", "height", "width", "harm", "age"] as const;
type RosterField = (typeof ROSTER)[number];

/** Share of the last loss in the smoothed one. */
const SMOOTHING = 0.2;

/**
 * Competing stickers. Values are the pixels of `stickerPerturbations`, then the roster [tasks, candidates, 6], then the number of ascent
 * steps, so that a saved run goes on to the same bytes. Every `renewEvery` ascent steps, the half of a task's candidates with the lowest
 * smoothed loss is drawn anew.
 * @throws {RangeError} if the largest sticker does not fit into the image.
 */
export function tournamentStickers(options: StickerOptions & Pick<DamOptions, "renewEvery">, setting: PerturbationSetting): Perturbations {
  const { candidates, renewEvery } = options;
  const { tasks, seed, imageSize } = setting;
  const canvas = openStickerCanvas(options, setting);
  const counter = tournamentValueCount(options, tasks.length) - 1;
  const at = rosterIndex(options, tasks.length);
  const placesOf =
    (values: Float32Array) =>
    (task: number, candidate: number): StickerPlace =>
      readRoster((field) => values[at(task, candidate, field)]!);

  const draw = (values: Float32Array, task: number, candidate: number, count: number): void => {
    const random = randomStream(seed, "tournament", tasks[task]!, candidate, count);
    const place = { ...drawPlace(random, options, imageSize), harm: 0, age: 0 };
    for (const name of ROSTER) values[at(task, candidate, name)] = place[name];
    const start = (task * candidates + candidate) * canvas.each;
    for (let i = 0; i < canvas.each; i++) values[start + i] = random.uniform();
  };

  const rate = (values: Float32Array, losses: Float32Array, task: number): void => {
    for (let candidate = 0; candidate < candidates; candidate++) {
      const own = losses.filter((_, image) => image % candidates === candidate);
      if (own.length === 0) continue;
      const loss = own.reduce((sum, value) => sum + value, 0) / own.length;
      const [harm, age] = [at(task, candidate, "harm"), at(task, candidate, "age")];
      values[harm] = values[age] === 0 ? loss : (1 - SMOOTHING) * values[harm]! + SMOOTHING * loss;
      values[age] = values[age]! + 1;
    }
  };

  const renew = (values: Float32Array, task: number, count: number): void => {
    const order = Array.from({ length: candidates }, (_, candidate) => candidate).sort(
      (a, b) => values[at(task, a, "harm")]! - values[at(task, b, "harm")]!,
    );
    for (const candidate of order.slice(0, Math.floor(candidates / 2))) draw(values, task, candidate, count);
  };

  return {
    start() {
      const values = new Float32Array(tournamentValueCount(options, tasks.length));
      for (const task of tasks.keys()) for (let candidate = 0; candidate < candidates; candidate++) draw(values, task, candidate, 0);
      return values;
    },
    apply: (values, batches) => canvas.paint(values, batches, placesOf(values)),
    ascend(values, perturbed, { pixelGradients, imageLosses }) {
      canvas.climb(values, perturbed, pixelGradients, placesOf(values));
      const count = (values[counter] = values[counter]! + 1);
      for (const task of tasks.keys()) {
        rate(values, imageLosses[task]!, task);
        if (count % renewEvery === 0) renew(values, task, count);
      }
    },
  };
}

/** What decides how many values there are. */
type RosterSize = Pick<StickerOptions, "candidates" | "stickerMax">;

/** How many values the stickers of some tasks have. */
export function tournamentValueCount({ candidates, stickerMax }: RosterSize, tasks: number): number {
  return tasks * candidates * (3 * stickerMax ** 2 + ROSTER.length) + 1;
}

/** Where a number of the roster lies among the values of some tasks. */
function rosterIndex({ candidates, stickerMax }: RosterSize, tasks: number) {
  const pixels = tasks * candidates * 3 * stickerMax ** 2;
  return (task: number, candidate: number, field: RosterField): number =>
    pixels + (task * candidates + candidate) * ROSTER.length + ROSTER.indexOf(field);
}

/** The values of a tournament in which each task shows nothing but its most harmful sticker, of those that were rated. */
export function keepStrongest(values: Float32Array, size: RosterSize, tasks: number): Float32Array {
  const result = values.slice();
  const { candidates, stickerMax } = size;
  const at = rosterIndex(size, tasks);
  const each = 3 * stickerMax ** 2;
  for (let task = 0; task < tasks; task++) {
    const rated = Array.from({ length: candidates }, (_, candidate) => candidate).filter(
      (candidate) => values[at(task, candidate, "age")]! > 0,
    );
    const harm = (candidate: number): number => values[at(task, candidate, "harm")]!;
    const strongest = rated.reduce((best, candidate) => (harm(candidate) > harm(best) ? candidate : best), rated[0] ?? 0);
    const pixels = (candidate: number): number => (task * candidates + candidate) * each;
    for (let candidate = 0; candidate < candidates; candidate++) {
      result.copyWithin(pixels(candidate), pixels(strongest), pixels(strongest) + each);
      for (const field of ROSTER) result[at(task, candidate, field)] = values[at(task, strongest, field)]!;
    }
  }
  return result;
}

function readRoster(field: (name: RosterField) => number): Omit<Sticker, "pixels"> {
  return { x: field("x"), y: field("y"), height: field("height"), width: field("width"), harm: field("harm"), age: field("age") };
}

/** A sticker as a tournament left it. */
export interface Sticker extends Stamp {
  /** Smoothed loss of the images that show it; 0 if it was never rated. */
  readonly harm: number;
  /** Ascent steps since it was drawn. */
  readonly age: number;
}

/** A task's stickers out of the values of `tournamentStickers`, the most harmful first. */
export function readStickers(values: Float32Array, { candidates, stickerMax }: RosterSize, tasks: number, task: number): Sticker[] {
  const area = stickerMax ** 2;
  const at = rosterIndex({ candidates, stickerMax }, tasks);
  const stickers = Array.from({ length: candidates }, (_, candidate): Sticker => {
    const index = task * candidates + candidate;
    const entry = readRoster((field) => values[at(task, candidate, field)]!);
    const { height, width } = entry;
    const pixels = Float32Array.from({ length: 3 * height * width }, (_, i) => {
      const [channel, row, column] = [Math.floor(i / (height * width)), Math.floor(i / width) % height, i % width];
      return values[(index * 3 + channel) * area + row * stickerMax + column]!;
    });
    return { ...entry, pixels };
  });
  return stickers.sort((a, b) => b.harm - a.harm);
}
