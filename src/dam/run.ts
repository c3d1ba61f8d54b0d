/** One run of DAM: what it trains, and what its phases share. */
import { randomStream } from "../engine";
import {
  classifyAll,
  combineTaskVectors,
  composeMasks,
  DESK_NORMALIZATION,
  indicesOf,
  layoutMask,
  logisticNoise,
  mergeTaskVectors,
  openWorkplace,
  relaxMask,
  startCoefficients,
  startVariable,
  type AdaptationContext,
  type ConcreteMask,
  type MaskLayout,
  type Variable,
  type Workplace,
} from "../merging/adaptive";
import type { DamOptions } from "./options";
import { createPerturbations, type Perturbations } from "./perturbations";
import type { DamWatch } from "./watch";

/** What DAM is given: models, unlabelled images, and, for comparisons, random draws of somebody else. */
export interface DamContext extends AdaptationContext {
  /** logit(u) of a mask, one a logit; default: drawn from the seed by (mask, step). Step −1 is the evaluation mask. */
  readonly maskNoise?: (mask: MaskName, step: number) => Float32Array;
  /** Z of masks before the first step, one a logit; default: `initialLogit` everywhere. */
  readonly startLogits?: ReadonlyMap<MaskName, Float32Array>;
  /** λ of f_0, from `makeLabelModel` with the same models, images, seed and settings; default: made at the beginning of the run. */
  readonly labelCoefficients?: Float32Array;
  /** Looks at the masks' training and ends it when it sees fit; default: all `steps` iterations are run. */
  readonly watch?: DamWatch;
}

/** M1, the task-shared mask, and M2, the backdoor-detection mask; `joint` has M2 alone. */
export type MaskName = "shared" | "backdoor";

/** What a run trains; all of it is saved. */
export interface DamVariables {
  /** λ */
  readonly coefficients: Variable;
  /** λ of f_0. */
  readonly labelCoefficients: Variable;
  /** λ when the masks were finished; its optimiser is not used. */
  readonly coefficientsBefore: Variable;
  readonly perturbations: Variable;
  /** Z1, Z2 */
  readonly masks: ReadonlyMap<MaskName, Variable>;
}

/** A run at work. */
export interface DamRun {
  readonly place: Workplace;
  readonly options: DamOptions;
  readonly layout: MaskLayout;
  readonly variables: DamVariables;
  readonly perturbations: Perturbations;
  readonly noise: (mask: MaskName, step: number) => Float32Array;
  /** Steps of the run's first stage, which makes f_0: none where nobody asks for f_0, or its λ is given. */
  readonly labelSteps: number;
  /** Merged parameters of f_0, where it classifies batches as they come; computed when it is first asked for. */
  labelModel: Float32Array | null;
  /** Its classes of all adaptation images. */
  labels: Int32Array[] | null;
}

/** Masks sampled for one iteration. */
export interface SampledMasks {
  readonly byName: ReadonlyMap<MaskName, ConcreteMask>;
  /** Their product, one factor a merged parameter element; null if there is no mask. */
  readonly factors: Float32Array | null;
}

/** Opens a run. */
export function openRun(context: DamContext, options: DamOptions): DamRun {
  const place = openWorkplace(context, options.batchSize, { vectorDtype: options.vectorDtype });
  const layout = layoutMask(place.space.layout, options.granularity, context.config);
  const tasks = context.tasks.map(({ name }) => name);
  const normalization = context.normalization ?? DESK_NORMALIZATION;
  const perturbations = createPerturbations(options, context.config, { tasks, seed: place.seed, normalization });
  const start = (): Variable => startVariable(startCoefficients(place.space, options.coefficients, options.initialCoefficient).values);
  const names: MaskName[] =
    options.variant === "joint" ? ["backdoor"] : (["shared", "backdoor"] as const).filter((name) => [name, "both"].includes(options.masks));
  return {
    place,
    options,
    layout,
    perturbations,
    variables: {
      coefficients: start(),
      labelCoefficients: startLabelCoefficients(context, start()),
      coefficientsBefore: start(),
      perturbations: startVariable(perturbations.start()),
      masks: new Map(names.map((name) => [name, startVariable(startLogits(context, options, name, layout.logits))])),
    },
    noise: context.maskNoise ?? ((mask, step) => logisticNoise(randomStream(place.seed, "mask", mask, step), layout.logits)),
    labelSteps: context.labelCoefficients || !needsLabelModel(options) ? 0 : options.labelSteps,
    labelModel: null,
    labels: null,
  };
}

/** Whether f_0 is made by AdaMerging: the safety loss and the anchor ask for it; the released algorithm has none. */
export function needsLabelModel({ referenceCompat, pseudoLabels, safety, anchor }: DamOptions): boolean {
  return !referenceCompat && pseudoLabels === "adamerging" && (safety !== "none" || anchor > 0);
}

function startLabelCoefficients({ labelCoefficients: given }: DamContext, start: Variable): Variable {
  if (given === undefined) return start;
  const count = start.values.length;
  if (given.length !== count)
    throw new TypeError(`Cannot take over f_0: expected ${count} coefficients for these models, got ${given.length}`);
  return startVariable(given.slice());
}

function startLogits({ startLogits: given }: DamContext, { initialLogit }: DamOptions, name: MaskName, count: number): Float32Array {
  const logits = given?.get(name);
  if (logits === undefined) return new Float32Array(count).fill(initialLogit);
  if (logits.length !== count)
    throw new TypeError(
      `Cannot start mask "${name}": expected ${count} logits for these models and this granularity, got ${logits.length}`,
    );
  return logits.slice();
}

/** Names the variables for saving. */
export function namedVariables({ masks, ...others }: DamVariables): Record<string, Variable> {
  return { ...others, ...Object.fromEntries([...masks].map(([name, variable]) => [`${name}Mask`, variable])) };
}

/** Draws the masks of an iteration. */
export function sampleMasks({ variables, layout, noise, options, place }: DamRun, step: number): SampledMasks {
  const byName = new Map(
    [...variables.masks].map(([name, { values }]) => [
      name,
      relaxMask(layout, values, options.trainingMask === "mean" ? null : noise(name, step), options.temperature),
    ]),
  );
  return { byName, factors: composeMasks(layout, [...byName.values()], place.rooms) };
}

/**
 * θ = θ0 + m ⊙ U at the present λ, and U = Σ λ τ at the same λ, which takes the memory of θ when it is asked for: read again, the task vectors
 * cost less than room for both.
 * @param room Where to.
 */
export function mergeNow(
  run: DamRun,
  factors: Float32Array | null,
  room: "theta" | "spare" = "theta",
): { readonly theta: Float32Array; turnIntoCombined(): Float32Array } {
  const { place, options, variables } = run;
  const coefficients = { granularity: options.coefficients, values: variables.coefficients.values.slice() };
  const theta = mergeTaskVectors(place.space, coefficients, factors, { theta: place.rooms.take(room) });
  return { theta, turnIntoCombined: () => combineTaskVectors(place.space, coefficients, theta) };
}

/** f_0's classes of clean images, task by task. f_0 is frozen, so each adaptation image is classified once in a run. */
export async function pseudoLabels(run: DamRun, images: readonly Float32Array[]): Promise<Int32Array[]> {
  const { place, options, variables } = run;
  const coefficients = { granularity: options.coefficients, values: variables.labelCoefficients.values };
  const indices = images.map(indicesOf);
  const most = Math.max(...place.tasks.map((task) => task.images.count));
  const short = options.steps * PASSES * options.batchSize < most;
  if (short || indices.includes(undefined)) {
    run.labelModel ??= mergeTaskVectors(place.space, coefficients, null);
    return place.tower.classify(run.labelModel, images);
  }
  const classes = (run.labels ??= await classifyAll(place, mergeTaskVectors(place.space, coefficients, null)));
  return indices.map((own, task) => Int32Array.from(own!, (index) => classes[task]![index]!));
}

/** Passes of an iteration that ask for classes, about: below an epoch in all, each batch is classified as it comes. */
const PASSES = 4;
