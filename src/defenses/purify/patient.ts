/** One model on the table: what stickers find in it, and what is taken out of its task vector. */
import {
  combineTaskVectors,
  crossEntropyTo,
  expandGates,
  gateGradient,
  gatherNormalized,
  indicesOf,
  layoutMask,
  maskGradient,
  meanGate,
  mergeMasked,
  openGates,
  openWorkplace,
  stepVariable,
  type AdaptationContext,
  type MaskLayout,
  type StepNumbers,
  type Variable,
  type Workplace,
} from "../../merging/adaptive";
import { readStickers, tournamentStickers, type Perturbations, type Sticker } from "../../dam";
import type { PurifyOptions } from "./options";

/** A model that is inspected and purged by itself, on unlabelled images of its own task. */
export interface Patient {
  readonly place: Workplace;
  readonly options: PurifyOptions;
  /** Which gate governs which element of the task vector. */
  readonly layout: MaskLayout;
  /** τ, as the merge's space lays it out. */
  readonly vector: Float32Array;
  readonly stickers: Perturbations;
  /** The given model's own classes of all images of its task: what purging must keep. */
  readonly classes: Int32Array;
}

/** What the stickers found in a model. */
export interface Inspection {
  readonly task: string;
  /** Largest share of the images of all other classes that one sticker brings to one class, in [0, 1]. */
  readonly capture: number;
  /** That class. */
  readonly target: number;
  /** Whether `capture` reaches `suspectCapture`. */
  readonly suspect: boolean;
  /** The sticker that did it. */
  readonly sticker: Sticker;
}

/** What is trained while a model is at work. */
export interface PatientVariables {
  /** Z, one a gate. */
  readonly gates: Variable;
  /** The stickers' values. */
  readonly stickers: Variable;
}

/** Lays one of the context's models on the table. */
export async function openPatient(context: AdaptationContext, options: PurifyOptions, index: number): Promise<Patient> {
  const { batches } = context;
  const own = {
    ...context,
    taskVectors: [context.taskVectors[index]!],
    tasks: [context.tasks[index]!],
    ...(batches && { batches: (phase: string, step: number) => [batches(phase, step)[index]!] }),
  };
  const place = openWorkplace(own, options.purgeBatchSize);
  const layout = layoutMask(place.space.layout, options.granularity, context.config);
  const vector = combineTaskVectors(place.space, { granularity: "task", values: Float32Array.of(1) });
  const setting = { tasks: [context.tasks[index]!.name], seed: place.seed, imageSize: context.config.imageSize };
  const stickers = tournamentStickers(options, { ...setting, normalization: place.normalization });
  const classes = await classifyAll(place, mergeMasked(place.space, vector, null), (batch) => batch);
  return { place, options, layout, vector, stickers, classes };
}

/** One ascent step of the stickers against the model as it was given. */
export async function inspectModel(patient: Patient, { stickers }: PatientVariables, step: number): Promise<StepNumbers> {
  const theta = mergeMasked(patient.place.space, patient.vector, null);
  return { harm: await ascend(patient, theta, stickers.values, "inspection", step) };
}

/** How far the two most harmful stickers bring the given model's images to one class. */
export async function measureCapture(patient: Patient, values: Float32Array): Promise<Pick<Inspection, "capture" | "target" | "sticker">> {
  const { place, options, classes, vector } = patient;
  const theta = mergeMasked(place.space, vector, null);
  const stickers = readStickers(values, options, 1, 0).slice(0, 2);
  let found = { capture: 0, target: 0, sticker: stickers[0]! };
  for (const sticker of stickers) {
    const seen = await classifyAll(place, theta, (batch) => stick(batch, sticker, place));
    for (let target = 0; target < place.tasks[0]!.head.weight.shape[0]!; target++) {
      let [others, captured] = [0, 0];
      for (const [image, own] of classes.entries()) {
        if (own === target) continue;
        others++;
        if (seen[image] === target) captured++;
      }
      const capture = others === 0 ? 0 : captured / others;
      if (capture > found.capture) found = { capture, target, sticker };
    }
  }
  return found;
}

/** One update of the gates, Z ← Adam(∇(L_clean + α L_stickers)), after the stickers' ascent against the model as it is now. */
export async function purgeStep(patient: Patient, variables: PatientVariables, step: number): Promise<StepNumbers> {
  const { place, options, layout, vector } = patient;
  const { alpha, ascentSteps, temperature } = options;
  const gates = openGates(variables.gates.values, temperature);
  const theta = mergeMasked(place.space, vector, expandGates(layout, gates));
  const images = place.batches("purging", step);
  const loss = crossEntropyTo([await classesOf(patient, images)]);
  const clean = await place.tower.pass(theta, images, { loss });
  let safety = 0;
  if (alpha > 0) {
    const { values } = variables.stickers;
    for (let ascent = 1; ascent < ascentSteps; ascent++)
      await ascend(patient, theta, values, "stickers", step * (ascentSteps - 1) + ascent - 1);
    // The pass that gives the gates' gradient is also the last ascent.
    const perturbed = patient.stickers.apply(values, images, "purging", step);
    const found = await place.tower.pass(theta, perturbed, { loss, pixels: true, imageLosses: true });
    patient.stickers.ascend(values, perturbed, found, "purging", step);
    for (let i = 0; i < clean.gradient.length; i++) clean.gradient[i] = clean.gradient[i]! + alpha * found.gradient[i]!;
    safety = found.loss;
  }
  const gradient = gateGradient(layout, gates, maskGradient(clean.gradient, vector), temperature);
  stepVariable(variables.gates, gradient, options.maskLearningRate);
  return { clean: clean.loss, ...(alpha > 0 && { safety }), kept: meanGate(layout, gates) };
}

/** Makes the stickers worse for the model; returns their loss. */
async function ascend(patient: Patient, theta: Float32Array, values: Float32Array, phase: string, step: number): Promise<number> {
  const { place, stickers } = patient;
  const images = place.batches(phase, step);
  const perturbed = stickers.apply(values, images, phase, step);
  const loss = crossEntropyTo([await classesOf(patient, images)]);
  const found = await place.tower.pass(theta, perturbed, { loss, parameters: false, pixels: true, imageLosses: true });
  stickers.ascend(values, perturbed, found, phase, step);
  return found.loss;
}

async function classesOf({ place, vector, classes }: Patient, images: readonly Float32Array[]): Promise<Int32Array> {
  const indices = indicesOf(images[0]!);
  if (indices) return Int32Array.from(indices, (index) => classes[index]!);
  return (await place.tower.classify(mergeMasked(place.space, vector, null), images))[0]!;
}

const CHUNK = 80;

/** Classes of all images of the task, each batch changed first. */
async function classifyAll(place: Workplace, theta: Float32Array, change: (batch: Float32Array) => Float32Array): Promise<Int32Array> {
  const { images } = place.tasks[0]!;
  const classes = new Int32Array(images.count);
  for (let start = 0; start < images.count; start += CHUNK) {
    const indices = Uint32Array.from({ length: Math.min(CHUNK, images.count - start) }, (_, i) => start + i);
    const [found] = await place.tower.classify(theta, [change(gatherNormalized(images, indices, place.normalization))]);
    classes.set(found!, start);
  }
  return classes;
}

/** Puts a sticker on every image of a batch, in place. */
function stick(batch: Float32Array, { x, y, height, width, pixels }: Sticker, { tasks, normalization }: Workplace): Float32Array {
  const size = tasks[0]!.images.width;
  for (let plane = 0; plane < batch.length / size ** 2; plane++) {
    const channel = plane % 3;
    const [mean, std] = [normalization.mean[channel]!, normalization.std[channel]!];
    for (let row = 0; row < height; row++) {
      const from = (channel * height + row) * width;
      const to = plane * size ** 2 + (y + row) * size + x;
      for (let column = 0; column < width; column++) batch[to + column] = (pixels[from + column]! - mean) / std;
    }
  }
  return batch;
}
