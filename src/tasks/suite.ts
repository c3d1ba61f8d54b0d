/** The six tasks of the desk suite and their splits. */
import { randomStream } from "../engine/random";
import { finish, writeBytes } from "./canvas";
import { cars } from "./cars";
import { dtd } from "./dtd";
import { eurosat } from "./eurosat";
import type { Generator } from "./generator";
import { CHANNELS, firstImages, IMAGE_SIZE, type ImageSet, type UnlabelledImageSet } from "./images";
import { DIGIT_COUNTS, realDigit, strokeDigits } from "./mnist";
import { resisc45 } from "./resisc45";
import { svhn } from "./svhn";

/** The tasks in the suite's order, which is also the order of their classes in pre-training. */
export const TASK_IDS = ["mnist", "cars", "resisc45", "eurosat", "svhn", "dtd"] as const;
/** Name of a task of the suite. */
export type TaskId = (typeof TASK_IDS)[number];

/** `train` for fine-tuning, `validation` for every choice, `adapt` (never with labels) for defenders, `test` for what is reported. */
export const SPLITS = ["train", "validation", "adapt", "test"] as const;
/** Name of a split. */
export type Split = (typeof SPLITS)[number];

/** The seed of all task images; the suite is one fixed set of images. */
export const SUITE_SEED = 0;

/** Options of `Task.load`. */
export interface LoadOptions {
  /** At most so many images, from the start of the split. Every prefix holds the classes as evenly as can be. */
  readonly limit?: number;
}

/** One task of the desk suite. */
export interface Task {
  readonly id: TaskId;
  /** For people; says where the images are procedural. */
  readonly title: string;
  /** True where the images are drawn by seeded code, false where they are real. */
  readonly procedural: boolean;
  /** Class names; a label is an index into them. */
  readonly classes: readonly string[];
  /** One line about each class. */
  readonly descriptions: readonly string[];
  /** Images of each split. */
  readonly splits: Readonly<Record<Split, number>>;
  /**
   * The images of a split, the same on every machine. They are drawn on first use and kept for the life of the process: treat them as read-only.
   * @throws {RangeError} if the limit is not a positive integer.
   */
  load(split: "adapt", options?: LoadOptions): UnlabelledImageSet;
  load(split: Exclude<Split, "adapt">, options?: LoadOptions): ImageSet;
  load(split: Split, options?: LoadOptions): ImageSet | UnlabelledImageSet;
}

/** What each task is made of. */
export const GENERATORS: Readonly<Record<TaskId, Generator>> = { mnist: strokeDigits, cars, resisc45, eurosat, svhn, dtd };

const TITLES: Readonly<Record<TaskId, string>> = {
  mnist: "MNIST",
  cars: "Cars-like (procedural)",
  resisc45: "RESISC45-like (procedural)",
  eurosat: "EuroSAT-like (procedural)",
  svhn: "SVHN-like (procedural)",
  dtd: "DTD-like (procedural)",
};

const TRAIN_IMAGES = { cars: 6000, resisc45: 4000, eurosat: 4000, svhn: 6000, dtd: 6000 } as const;

/** MNIST's places within each class: [first, end). The package's own order; `train` goes to the end of the class. */
const DIGIT_RANGES: Readonly<Record<Split, readonly [number, number]>> = {
  test: [0, 80],
  validation: [80, 120],
  adapt: [120, 200],
  train: [200, Infinity],
};

/** How a split is made: the class of each image, and how to write image `index` of class `label`. */
interface Source {
  readonly labels: Uint8Array;
  write(index: number, label: number, images: Uint8Array, offset: number): void;
}

const loaded = new Map<string, ImageSet>();

/**
 * A task of the desk suite.
 * @throws {RangeError} if there is no such task; lists those that exist.
 */
export function loadTask(id: string): Task {
  if (!isTaskId(id)) throw new RangeError(`Cannot load task "${id}": expected one of ${TASK_IDS.join(", ")}`);
  const { classes } = GENERATORS[id];
  return {
    id,
    title: TITLES[id],
    procedural: id !== "mnist",
    classes: classes.map(({ name }) => name),
    descriptions: classes.map(({ description }) => description),
    splits: splitSizes(id),
    load: ((split: Split, { limit = Infinity }: LoadOptions = {}) => {
      if (!(SPLITS as readonly string[]).includes(split)) {
        throw new RangeError(`Cannot load split "${split}" of task "${id}": expected one of ${SPLITS.join(", ")}`);
      }
      if (!(limit === Infinity || (Number.isInteger(limit) && limit > 0))) {
        throw new RangeError(`Cannot load split "${split}" of task "${id}": expected a limit of at least 1, got ${limit}`);
      }
      const set = loadSplit(id, split, limit);
      if (split !== "adapt") return set;
      const { labels: _hidden, ...unlabelled } = set;
      return unlabelled;
    }) as Task["load"],
  };
}

/** Whether a string names a task of the suite. */
export function isTaskId(id: string): id is TaskId {
  return (TASK_IDS as readonly string[]).includes(id);
}

/**
 * A sequence of classes in which every block of `classes` images holds each class once, in random order; so any prefix is balanced.
 * @param path Names the random stream under the seed.
 */
export function balancedLabels(count: number, classes: number, seed: number, ...path: (string | number)[]): Uint8Array {
  const labels = new Uint8Array(count);
  for (let start = 0, block = 0; start < count; start += classes, block++) {
    const order = randomStream(seed, "tasks", ...path, "labels", block).permutation(classes);
    labels.set(order.subarray(0, count - start), start);
  }
  return labels;
}

function splitSizes(id: TaskId): Record<Split, number> {
  if (id !== "mnist") return { train: TRAIN_IMAGES[id], validation: 400, adapt: 800, test: 800 };
  const size = (split: Split): number => digitCounts(split).reduce((sum, count) => sum + count, 0);
  return { train: size("train"), validation: size("validation"), adapt: size("adapt"), test: size("test") };
}

function loadSplit(id: TaskId, split: Split, limit: number): ImageSet {
  const key = `${id}/${split}`;
  let set = loaded.get(key);
  if (!set || set.count < Math.min(limit, splitSizes(id)[split])) {
    const source = id === "mnist" ? digitSource(split) : drawnSource(id, split);
    const labels = source.labels.subarray(0, limit);
    set = emptyImageSet(labels);
    for (let index = 0; index < set.count; index++)
      source.write(index, labels[index]!, set.images, index * CHANNELS * IMAGE_SIZE * IMAGE_SIZE);
    loaded.set(key, set);
  }
  return firstImages(set, limit);
}

/** A set of black images with the given labels. */
export function emptyImageSet(labels: Uint8Array): ImageSet {
  const images = new Uint8Array(labels.length * CHANNELS * IMAGE_SIZE * IMAGE_SIZE);
  return { images, labels, count: labels.length, channels: CHANNELS, height: IMAGE_SIZE, width: IMAGE_SIZE };
}

function drawnSource(id: Exclude<TaskId, "mnist">, split: Split): Source {
  const { classes, noise } = GENERATORS[id];
  return {
    labels: balancedLabels(splitSizes(id)[split], classes.length, SUITE_SEED, id, split),
    write(index, label, images, offset) {
      const random = randomStream(SUITE_SEED, "tasks", id, split, index);
      writeBytes(finish(classes[label]!.draw(random), random, noise), images, offset);
    },
  };
}

/** Round k holds the k-th digit of each class that has one, in random order. */
function digitSource(split: Split): Source {
  const counts = digitCounts(split);
  const labels: number[] = [];
  const places: number[] = [];
  for (let round = 0; round < Math.max(...counts); round++) {
    for (const label of randomStream(SUITE_SEED, "tasks", "mnist", split, "labels", round).permutation(counts.length)) {
      if (round >= counts[label]!) continue;
      labels.push(label);
      places.push(DIGIT_RANGES[split][0] + round);
    }
  }
  return {
    labels: Uint8Array.from(labels),
    write: (index, label, images, offset) => writeBytes(realDigit(label, places[index]!), images, offset),
  };
}

function digitCounts(split: Split): number[] {
  const [first, end] = DIGIT_RANGES[split];
  return DIGIT_COUNTS.map((count) => Math.min(end, count) - first);
}
