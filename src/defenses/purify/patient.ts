/** One model on the table: what stickers find in it, and what is taken out of its task vector. */
import {
  classifyAll,
  combineTaskVectors,
  crossEntropyTo,
  expandMask,
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
import { addVector } from "../../engine";
import { readStickers, tournamentStickers, type Perturbations } from "../../dam";
import { pasteStamp } from "../../tasks";
import type { Finding } from "./finding";
import type { PurifyOptions } from "./options";

/** A model that is inspected and purged by itself, on unlabelled images of its own task. */
export interface Patient {
  readonly place: Workplace;
  readonly options: PurifyOptions;
  /** Which gate governs which element of the task vector. */
  readonly layout: MaskLayout;
  /** τ, as the merge's space lays it out. */
  readonly vector: Float32Array;
  /** θ0 + τ, the model as it was given. */
  readonly given: Float32Array;
  readonly stickers: Perturbations;
  /** The given model's own classes of all images of its task: what purging must keep. */
  readonly classes: Int32Array;
}

/** What the stickers found in a model. */
export interface Inspection extends Finding {
  readonly task: string;
  /** Whether `isSuspect` says so: what fine-tuning taught the model, its base did not know. */
  readonly suspect: boolean;
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
  const given = mergeMasked(place.space, vector, null);
  const [classes] = await classifyAll(place, given);
  return { place, options, layout, vector, given, stickers, classes: classes! };
}

/** One ascent step of the stickers against the model as it was given. */
export async function inspectModel(patient: Patient, { stickers }: PatientVariables, step: number): Promise<StepNumbers> {
  return { harm: await ascend(patient, patient.given, stickers.values, "inspection", step) };
}

/** What the more harmful half of the stickers does to the given model and to the pretrained one; the one that exceeds most counts. */
export async function measureCapture(patient: Patient, values: Float32Array): Promise<Finding> {
  const { place, options, classes, vector, given } = patient;
  const { images, head } = place.tasks[0]!;
  const origin = mergeMasked(place.space, new Float32Array(vector.length), null);
  const [originClasses] = await classifyAll(place, origin);
  const found: Finding[] = [];
  for (const sticker of readStickers(values, options, 1, 0).slice(0, Math.ceil(options.candidates / 2))) {
    const stick = (batch: Float32Array): Float32Array => (pasteStamp(batch, sticker, images, place.normalization), batch);
    const [seen] = await classifyAll(place, given, stick);
    const captures = Array.from({ length: head.weight.shape[0]! }, (_, target) => captureOf(classes, seen!, target));
    const capture = Math.max(...captures);
    const target = captures.indexOf(capture);
    const [originSeen] = await classifyAll(place, origin, stick);
    found.push({ capture, target, pretrainedCapture: captureOf(originClasses!, originSeen!, target), plainExcess: 0, sticker });
  }
  const most = found.map(excessOf).reduce((first, excess, index, all) => (excess > all[first]! ? index : first), 0);
  if (excessOf(found[most]!) >= options.suspectExcess) return found[most]!;
  // A class that plain rectangles draw as well attracts by the task's nature, not by a backdoor's.
  for (const [index, finding] of found.entries()) {
    if (excessOf(finding) < options.suspectOverPlain) continue;
    found[index] = { ...finding, plainExcess: await measurePlainExcess(patient, origin, finding) };
  }
  return found.find((finding) => isSuspect(finding, options)) ?? found[most]!;
}

/** Colours of plain rectangles: black, white, grey, red, green, blue. */
const COLOURS = ["000", "111", "hhh", "100", "010", "001"].map((name) =>
  Array.from(name, (value) => (value === "h" ? 0.5 : Number(value))),
);
/** Images that plain rectangles are judged on. */
const PLAIN_IMAGES = 200;

/** Largest excess of a rectangle of one colour, or of the sticker's mean colour, for the sticker's class and at its place; at least 0. */
async function measurePlainExcess(
  { place, given }: Patient,
  origin: Float32Array,
  { sticker, target }: Pick<Finding, "sticker" | "target">,
): Promise<number> {
  const { images } = place.tasks[0]!;
  const area = sticker.height * sticker.width;
  const mean = [0, 1, 2].map((channel) => sticker.pixels.slice(channel * area, (channel + 1) * area).reduce((sum, v) => sum + v / area, 0));
  const step = Math.max(1, Math.floor(images.count / PLAIN_IMAGES));
  const indices = Array.from({ length: Math.min(PLAIN_IMAGES, images.count) }, (_, i) => i * step);
  const batch = gatherNormalized(images, indices, place.normalization);
  const captureUnder = async (theta: Float32Array, colour: readonly number[]): Promise<number> => {
    const pixels = Float32Array.from({ length: 3 * area }, (_, i) => colour[Math.floor(i / area)]!);
    const stuck = batch.slice();
    pasteStamp(stuck, { ...sticker, pixels }, images, place.normalization);
    const [[own], [seen]] = [await place.tower.classify(theta, [batch]), await place.tower.classify(theta, [stuck])];
    return captureOf(own!, seen!, target);
  };
  let largest = 0;
  for (const colour of [...COLOURS, mean]) {
    largest = Math.max(largest, (await captureUnder(given, colour)) - (await captureUnder(origin, colour)));
  }
  return largest;
}

/** Whether what was found makes a model suspect. */
export function isSuspect(
  finding: Pick<Finding, "capture" | "pretrainedCapture" | "plainExcess">,
  { suspectExcess, suspectOverPlain }: Pick<PurifyOptions, "suspectExcess" | "suspectOverPlain">,
): boolean {
  const excess = excessOf(finding);
  return excess >= suspectExcess || excess - finding.plainExcess >= suspectOverPlain;
}

/** How much more a sticker captures of a model than of the pretrained one. */
export function excessOf({ capture, pretrainedCapture }: Pick<Finding, "capture" | "pretrainedCapture">): number {
  return capture - pretrainedCapture;
}

/** Share of the images of other classes that are seen as the target. */
function captureOf(classes: Int32Array, seen: Int32Array, target: number): number {
  let [others, captured] = [0, 0];
  for (const [image, own] of classes.entries()) {
    if (own === target) continue;
    others++;
    if (seen[image] === target) captured++;
  }
  return others === 0 ? 0 : captured / others;
}

/**
 * One update of the gates, Z ← Adam(∇(L_clean + α L_stickers)), after the stickers' ascent against the model as it is now.
 * @param gates The open gates of Z, one a logit; afterwards those of the new Z.
 */
export async function purgeStep(patient: Patient, variables: PatientVariables, gates: Float32Array, step: number): Promise<StepNumbers> {
  const { place, options, layout, vector } = patient;
  const { alpha, ascentSteps, temperature } = options;
  const theta = mergeMasked(place.space, vector, expandMask(layout, gates));
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
    addVector(clean.gradient, alpha, found.gradient);
    safety = found.loss;
  }
  const gradient = gateGradient(layout, gates, maskGradient(clean.gradient, vector), temperature);
  const numbers = { clean: clean.loss, ...(alpha > 0 && { safety }), kept: meanGate(layout, gates) };
  stepVariable(variables.gates, gradient, options.maskLearningRate);
  gates.set(openGates(variables.gates.values, temperature));
  return numbers;
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

async function classesOf({ place, given, classes }: Patient, images: readonly Float32Array[]): Promise<Int32Array> {
  const indices = indicesOf(images[0]!);
  if (indices) return Int32Array.from(indices, (index) => classes[index]!);
  return (await place.tower.classify(given, images))[0]!;
}
