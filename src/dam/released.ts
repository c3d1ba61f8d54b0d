/**
 * @file `joint` with `referenceCompat`: the algorithm of the released code (task-wise class; the layer-wise one cannot run), quirks included.
 *
 * λ's gradient is taken at the λ left over from the step before and applied to λ reset to 0.3, by Adam at rate 1; to it is added what the mask
 * phase left behind. δ is added to normalised pixels without any bound, and x + δ is clamped to [0, 1] in normalised units, where only bright
 * pixels survive. Each phase sees new images. There are no pseudo-labels of a frozen merge: the perturbed model labels its own clean images.
 */
import {
  coefficientGradient,
  crossEntropyTo,
  entropyLoss,
  logitGradient,
  maskDensity,
  maskGradient,
  startVariable,
  stepVariable,
  type Variable,
} from "../merging/adaptive";
import type { DamOptions } from "./options";
import type { Losses } from "./phases";
import { mergeNow, openRun, sampleMasks, type DamContext, type DamRun, type SampledMasks } from "./run";

/** What the released configuration fixes. */
export const RELEASED_SETTINGS = {
  coefficientRate: 1,
  perturbationRate: 1e-4,
  finalRate: 1e-3,
  adversarialWeight: 0.1,
} as const;

/** A run of the released algorithm. */
export interface ReleasedRun extends DamRun {
  /** Gradient of λ that the mask phase left behind; its optimiser is not used. */
  readonly leftover: Variable;
}

/** Opens a run with the released settings; `steps`, `finalAdaptSteps` and `batchSize` are the options' own. */
export function openReleasedRun(context: DamContext, options: DamOptions): ReleasedRun {
  // Adam at rate 1 makes the rounding of small gradients large.
  const run = openRun(
    { ...context, plainLoops: true },
    {
      ...options,
      coefficients: "task",
      initialCoefficient: 0.3,
      clamp: false,
      granularity: "weight",
      maskLearningRate: 1e-3,
      initialLogit: 0,
      temperature: 0.5,
      trainingMask: "sample",
      evaluationMask: "sample",
      learningRate: RELEASED_SETTINGS.finalRate,
      anchor: 0,
    },
  );
  const imageLength = 3 * context.config.imageSize ** 2;
  return {
    ...run,
    variables: { ...run.variables, perturbations: startVariable(new Float32Array(run.place.space.tasks * imageLength)) },
    leftover: startVariable(new Float32Array(run.place.space.tasks)),
  };
}

/** One step of the released algorithm. */
export async function stepReleased(run: ReleasedRun, step: number): Promise<Losses> {
  const masks = sampleMasks(run, step);
  await adaptReleasedCoefficients(run, masks, step);
  if (run.options.safety !== "none") await ascendReleasedPerturbations(run, masks, step);
  return updateReleasedMask(run, masks, step);
}

/** Phase 1. */
export async function adaptReleasedCoefficients(run: ReleasedRun, { factors }: SampledMasks, step: number): Promise<void> {
  const { place, variables, leftover } = run;
  const { theta } = mergeNow(run, factors);
  const { gradient } = await place.tower.pass(
    theta,
    place.batches("coefficients", step),
    { loss: entropyLoss },
    place.rooms.take("gradient"),
  );
  const slopes = coefficientGradient(place.space, "task", gradient, factors);
  for (let task = 0; task < slopes.length; task++) slopes[task] = slopes[task]! + leftover.values[task]!;
  variables.coefficients.values.fill(run.options.initialCoefficient);
  stepVariable(variables.coefficients, slopes, RELEASED_SETTINGS.coefficientRate);
}

/** Phase 2: one step of ascent on the cross-entropy to the model's own classes. */
export async function ascendReleasedPerturbations(run: ReleasedRun, { factors }: SampledMasks, step: number): Promise<void> {
  const { place, variables } = run;
  const { theta } = mergeNow(run, factors);
  const images = place.batches("perturbation", step);
  const delta = variables.perturbations;
  const perturbed = addDelta(images, delta.values, (value) => value);
  const loss = crossEntropyTo(await place.tower.classify(theta, images));
  const { pixelGradients } = await place.tower.pass(theta, perturbed, { loss, parameters: false, pixels: true });
  const length = delta.values.length / images.length;
  const descent = new Float32Array(delta.values.length);
  for (const [task, gradient] of pixelGradients.entries()) {
    for (let i = 0; i < gradient.length; i++) descent[task * length + (i % length)]! -= gradient[i]!;
  }
  stepVariable(delta, descent, RELEASED_SETTINGS.perturbationRate);
}

/** Phase 3. */
export async function updateReleasedMask(run: ReleasedRun, masks: SampledMasks, step: number): Promise<Losses> {
  const { place, variables, options, layout, leftover } = run;
  const merge = mergeNow(run, masks.factors);
  const images = place.batches("mask", step);
  const { loss, gradient } = await place.tower.pass(merge.theta, images, { loss: entropyLoss }, place.rooms.take("gradient"));
  const losses: Record<string, number> = { performance: loss };
  if (options.safety !== "none") {
    const perturbed = addDelta(images, variables.perturbations.values, (value) => Math.min(1, Math.max(0, value)));
    const adversarial = await place.tower.pass(merge.theta, perturbed, { loss: entropyLoss }, place.rooms.take("spare"));
    const weight = RELEASED_SETTINGS.adversarialWeight;
    for (let i = 0; i < gradient.length; i++) gradient[i] = gradient[i]! + weight * adversarial.gradient[i]!;
    losses["safety"] = adversarial.loss;
  }
  const mask = variables.masks.get("backdoor")!;
  const slopes = maskGradient(gradient, merge.turnIntoCombined(), place.rooms.take("spare"));
  leftover.values.set(coefficientGradient(place.space, "task", gradient, masks.factors));
  stepVariable(mask, logitGradient(layout, masks.byName.get("backdoor")!, slopes, [], slopes), options.maskLearningRate);
  return { ...losses, backdoorDensity: maskDensity(layout, mask.values) };
}

function addDelta(batches: readonly Float32Array[], delta: Float32Array, bound: (value: number) => number): Float32Array[] {
  const length = delta.length / batches.length;
  return batches.map((batch, task) => batch.map((value, i) => bound(value + delta[task * length + (i % length)]!)));
}
