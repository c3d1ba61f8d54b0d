/** What the base model is trained on: weak versions of the tasks' images, and auxiliary classes. */
import { randomStream } from "../engine/random";
import { auxiliary as auxiliaryGenerator } from "./auxiliary";
import { finish, writeBytes, type Picture } from "./canvas";
import type { Generator } from "./generator";
import { imageLength, type ImageSet } from "./images";
import { DIGIT_COUNTS, realDigit } from "./mnist";
import { balancedLabels, emptyImageSet, GENERATORS, TASK_IDS, type TaskId } from "./suite";
import { weaken, type Weakening } from "./weaken";

/** Options of `loadPretrainingSet`. */
export interface PretrainingOptions extends Partial<Weakening> {
  /** The base's seed; other seeds give other images. */
  readonly seed?: number;
  /** Weak images of each task. */
  readonly perTask?: number;
  /** Images of the auxiliary classes. */
  readonly auxiliary?: number;
  /** Share of MNIST's weak images that are weakened real digits of its train split, 0 to 1; the others are a stroke font. */
  readonly realDigits?: number;
}

/** A run of images of one origin. */
export interface PretrainingPart {
  readonly name: TaskId | "auxiliary";
  readonly start: number;
  readonly count: number;
}

/** The pre-training images; labels are among all 119 classes. */
export interface PretrainingSet extends ImageSet {
  /** The tasks in the suite's order, then the auxiliary classes. */
  readonly parts: readonly PretrainingPart[];
}

/** Classes of the auxiliary part. */
export const AUXILIARY_CLASSES = auxiliaryGenerator.classes.length;

/** First real digit of each class that pre-training may use: where MNIST's train split starts. */
const FIRST_TRAIN_DIGIT = 200;

/** Where a part's classes start among the pre-training classes: the tasks' 75 in the suite's order, then the auxiliary ones. */
export function classOffset(part: TaskId | "auxiliary"): number {
  let offset = 0;
  for (const id of TASK_IDS) {
    if (id === part) return offset;
    offset += GENERATORS[id].classes.length;
  }
  return offset;
}

/** All pre-training classes: 75 of the tasks and 44 auxiliary ones. */
export const PRETRAINING_CLASSES = classOffset("auxiliary") + AUXILIARY_CLASSES;

/** Draws the pre-training images of one base. They are not kept: hold on to the result. */
export function loadPretrainingSet(options: PretrainingOptions = {}): PretrainingSet {
  const { seed = 0, perTask = 5000, auxiliary = 16000, realDigits = 0, blurPasses = 2, noise = [0.03, 0.15] } = options;
  if (!(realDigits >= 0 && realDigits <= 1))
    throw new RangeError(`Cannot draw pre-training images: expected realDigits in 0..1, got ${realDigits}`);
  const drawing = { seed, realDigits, weakening: { blurPasses, noise } };
  const parts = [...TASK_IDS.map((name, index) => ({ name, start: index * perTask, count: perTask }))] as PretrainingPart[];
  parts.push({ name: "auxiliary", start: perTask * TASK_IDS.length, count: auxiliary });
  const set = emptyImageSet(new Uint8Array(perTask * TASK_IDS.length + auxiliary));
  for (const part of parts) drawPart(set, part, drawing);
  return { ...set, parts };
}

interface Drawing {
  readonly seed: number;
  readonly realDigits: number;
  readonly weakening: Weakening;
}

function drawPart(set: ImageSet, { name, start, count }: PretrainingPart, drawing: Drawing): void {
  const generator = name === "auxiliary" ? auxiliaryGenerator : GENERATORS[name];
  const labels = balancedLabels(count, generator.classes.length, drawing.seed, "pretraining", name);
  for (let index = 0; index < count; index++) {
    const picture = drawOne(generator, labels[index]!, name, index, drawing);
    writeBytes(picture, set.images, (start + index) * imageLength(set));
    set.labels[start + index] = classOffset(name) + labels[index]!;
  }
}

function drawOne(generator: Generator, label: number, name: string, index: number, { seed, realDigits, weakening }: Drawing): Picture {
  const random = randomStream(seed, "tasks", "pretraining", name, index);
  const choice = random.child("real digit");
  if (name === "mnist" && choice.chance(realDigits)) {
    return weaken(realDigit(label, FIRST_TRAIN_DIGIT + choice.integer(DIGIT_COUNTS[label]! - FIRST_TRAIN_DIGIT)), random, weakening);
  }
  const picture = finish(generator.classes[label]!.draw(random), random, generator.noise);
  return name === "auxiliary" ? picture : weaken(picture, random, weakening);
}
