/** Defense-Aware Merging (arXiv:2410.13910): two masks over the task vectors, meta-optimised in turn with the coefficients. */
import type { HostTensor } from "../checkpoints";
import {
  evaluationMask,
  expandMask,
  mergedParameters,
  mergeTaskVectors,
  relaxMask,
  resetOptimiser,
  runLoop,
  type AdaptationContext,
  type AdaptedMerge,
  type Coefficients,
  type MaskLayout,
} from "../merging/adaptive";
import type { TestTimeMethod } from "../merging";
import { parseOptions } from "../merging";
import { DAM_DEFAULTS, DAM_OPTION_TEXTS, damOptionsSchema, type DamOptions } from "./options";
import {
  adaptCoefficients,
  adaptLabelModel,
  synthesisePerturbations,
  updateBackdoorMask,
  updateTaskSharedMask,
  updateTogether,
  type Losses,
} from "./phases";
import { openReleasedRun, stepReleased, type ReleasedRun } from "./released";
import { namedVariables, needsLabelModel, openRun, sampleMasks, type DamContext, type DamRun, type MaskName } from "./run";
import { openWatch, type OpenWatch } from "./watch";

/** What a run of DAM found. The merge itself is that after the final stage. */
export interface DamResult extends AdaptedMerge {
  /** The merge when the masks were finished, before the final stage on λ. */
  readonly beforeFinal: { readonly parameters: Map<string, HostTensor>; readonly coefficients: Coefficients };
  /** Z1 and Z2; a mask that there was not is missing. */
  readonly maskLogits: ReadonlyMap<MaskName, Float32Array>;
  /** Which logit governs which element of the merged parameters. */
  readonly maskLayout: MaskLayout;
  /** The synthesised perturbations; see `stickerPerturbations` and `noisePerturbations`. */
  readonly perturbations: Float32Array;
  /** After how many iterations the masks were taken: `options.steps`, or fewer after an interrupt or where a watch chose so. */
  readonly iterations: number;
  /** All settings that were used. */
  readonly options: DamOptions;
}

/** DAM as a row of the method table. */
export const dam: TestTimeMethod<DamOptions, DamContext, DamResult> = {
  kind: "test-time",
  name: "dam",
  title: "DAM",
  reference: "Defense-Aware Merging, ICLR 2025, arXiv:2410.13910",
  options: damOptionsSchema,
  defaults: DAM_DEFAULTS,
  texts: DAM_OPTION_TEXTS,
  merge: runDam,
};

/**
 * Merges models so that what perturbations can exploit is masked out.
 * @param given What is left out takes the defaults.
 * @throws {TypeError} or {RangeError} if an option, a model or a task does not fit; the signal's reason after an interrupt, unless the
 *   context asks for the result so far.
 */
export async function runDam(context: DamContext, given: Partial<DamOptions> = {}): Promise<DamResult> {
  const options = parseOptions(dam, given);
  const released = options.referenceCompat ? openReleasedRun(context, options) : null;
  const run = released ?? openRun(context, options);
  const watch = context.watch ? openWatch(run, context.watch, () => mergeFixed(run, fixedMasks(run)).parameters) : null;
  const { history, completed, steps } = await runLoop(planAlgorithm(run, released, watch), context);
  if (watch && !completed && !watch.settled()) watch.takeBest();
  const iterations = watch?.best() ?? Math.min(options.steps, Math.max(0, steps - run.labelSteps));
  return { ...finish(run), iterations, history, completed };
}

/** Settings of DAM that f_0 depends on. */
export type LabelOptions = Pick<
  DamOptions,
  "labelSteps" | "batchSize" | "coefficients" | "learningRate" | "initialCoefficient" | "clamp" | "vectorDtype"
>;

/** The settings that f_0 depends on; null where DAM would make none. Runs that agree in them, and differ in α say, can share one f_0. */
export function labelOptionsOf(options: DamOptions): LabelOptions | null {
  if (!needsLabelModel(options)) return null;
  const { labelSteps, batchSize, coefficients, learningRate, initialCoefficient, clamp, vectorDtype } = options;
  return { labelSteps, batchSize, coefficients, learningRate, initialCoefficient, clamp, vectorDtype };
}

/**
 * Makes f_0 alone, for runs that share it: its λ, to be given as `labelCoefficients`. Such runs have the same bytes as those that make
 * their own.
 */
export async function makeLabelModel(context: AdaptationContext, options: LabelOptions): Promise<Float32Array> {
  const run = openRun(context, { ...DAM_DEFAULTS, ...options, masks: "none" });
  const { labelCoefficients } = run.variables;
  const step = (index: number): Promise<Losses> => adaptLabelModel(run, index);
  await runLoop({ name: "DAM, f_0", steps: run.labelSteps, variables: { labelCoefficients }, step }, context);
  return labelCoefficients.values;
}

/** The run's stages, one after another: f_0, the masks, λ under the finished masks. */
function planAlgorithm(run: DamRun, released: ReleasedRun | null, watch: OpenWatch | null) {
  const { options, variables, labelSteps } = run;
  const masksEnd = labelSteps + options.steps;
  let factors: Float32Array | null | undefined;
  return {
    name: released ? "DAM as released" : `DAM, ${options.variant}`,
    steps: masksEnd + options.finalAdaptSteps,
    variables: { ...namedVariables(variables), ...(released && { leftover: released.leftover }), ...watch?.variables },
    async step(step: number): Promise<Losses> {
      if (step < labelSteps) return adaptLabelModel(run, step);
      if (step < masksEnd) {
        // What is left of the iterations after a watch has settled.
        if (watch?.settled()) return {};
        const losses = released ? await stepReleased(released, step - labelSteps) : await metaStep(run, step - labelSteps);
        variables.coefficientsBefore.values.set(variables.coefficients.values);
        return watch ? { ...losses, ...(await watch.after(step - labelSteps + 1)) } : losses;
      }
      if (step === masksEnd) {
        run.place.rooms.clear();
        if (released) variables.coefficients.values.fill(options.initialCoefficient);
        // The final stage is a new optimisation of λ.
        resetOptimiser(variables.coefficients);
      }
      factors ??= fixedMasks(run);
      return adaptCoefficients(run, factors, step - masksEnd, "final");
    },
  };
}

/** Algorithm 1: one iteration of the meta-optimiser. */
async function metaStep(run: DamRun, iteration: number): Promise<Losses> {
  const { variant, sharePasses, safety } = run.options;
  const masks = sampleMasks(run, iteration);
  const turn: MaskName = variant === "dual" && iteration % 2 === 0 ? "shared" : "backdoor";
  if (sharePasses) return updateTogether(run, masks, turn, iteration);
  const inner = await adaptCoefficients(run, masks.factors, iteration);
  if (turn === "shared") return { ...inner, ...(await updateTaskSharedMask(run, masks, iteration)) };
  if (safety !== "none" && masks.byName.has("backdoor")) await synthesisePerturbations(run, masks, iteration);
  return { ...inner, ...(await updateBackdoorMask(run, masks, iteration)) };
}

function fixedMasks(run: DamRun): Float32Array | null {
  const { layout, options, variables, place, noise } = run;
  if (options.referenceCompat) {
    const { values } = variables.masks.get("backdoor")!;
    return expandMask(layout, relaxMask(layout, values, noise("backdoor", -1), options.temperature).mask);
  }
  const logits = [...variables.masks.values()].map(({ values }) => values);
  return evaluationMask(layout, logits, options, place.seed);
}

/** The merge under masks that are fixed, by default at the present λ. */
function mergeFixed({ place, options, variables }: DamRun, mask: Float32Array | null, values = variables.coefficients.values) {
  const coefficients = { granularity: options.coefficients, values };
  const theta = mergeTaskVectors(place.space, coefficients, mask);
  return { coefficients, parameters: mergedParameters(place.space, theta) };
}

function finish(run: DamRun): Omit<DamResult, "iterations" | "history" | "completed"> {
  const { options, variables, layout } = run;
  run.place.rooms.clear();
  const mask = fixedMasks(run);
  return {
    ...mergeFixed(run, mask),
    beforeFinal: mergeFixed(run, mask, variables.coefficientsBefore.values),
    mask,
    maskLogits: new Map([...variables.masks].map(([name, { values }]) => [name, values])),
    maskLayout: layout,
    perturbations: variables.perturbations.values,
    options,
  };
}
