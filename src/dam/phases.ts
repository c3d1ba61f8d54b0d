/** The phases of DAM's meta-optimiser, one function each. First-order: λ is a constant for the masks. */
import { addVector } from "../engine";
import {
  adaptCoefficients as adaptByEntropy,
  clampCoefficients,
  coefficientGradient,
  crossEntropyTo,
  entropyLoss,
  logitGradient,
  maskDensity,
  maskGradient,
  stepVariable,
  type PassResult,
  type TaskLoss,
} from "../merging/adaptive";
import { mergeNow, pseudoLabels, type DamRun, type MaskName, type SampledMasks } from "./run";

/** Numbers worth watching. */
export type Losses = Readonly<Record<string, number>>;

/** L_perf on some clean images: entropy, and with `anchor` the cross-entropy to f_0's classes. */
export async function performanceLoss(run: DamRun, images: readonly Float32Array[]): Promise<TaskLoss> {
  const { anchor } = run.options;
  return anchor === 0 ? entropyLoss : { entropy: 1, crossEntropy: anchor, labels: await pseudoLabels(run, images) };
}

/** Makes f_0: one step of AdaMerging without masks. */
export async function adaptLabelModel({ place, options, variables }: DamRun, step: number): Promise<Losses> {
  const phase = { ...options, granularity: options.coefficients, phase: "labels" };
  return { entropy: await adaptByEntropy(place, phase, variables.labelCoefficients, null, step) };
}

/** Inner step: λ ← Adam(λ, ∇L_perf) under fixed masks. */
export async function adaptCoefficients(run: DamRun, factors: Float32Array | null, step: number, phase = "coefficients"): Promise<Losses> {
  const { place, options, variables } = run;
  const settings = {
    ...options,
    granularity: options.coefficients,
    phase,
    lossOf: (images: readonly Float32Array[]) => performanceLoss(run, images),
  };
  return { performance: await adaptByEntropy(place, settings, variables.coefficients, factors, step) };
}

/** Ascent: perturbations that change the merged model's classes away from f_0's. */
export async function synthesisePerturbations(
  run: DamRun,
  { factors }: SampledMasks,
  step: number,
  ascentSteps = run.options.ascentSteps,
): Promise<void> {
  const { place, options, variables, perturbations } = run;
  // Not in the room of θ, which a shared iteration still needs.
  const { theta } = mergeNow(run, factors, "spare");
  const { values } = variables.perturbations;
  for (let ascent = 0; ascent < ascentSteps; ascent++) {
    const draw = step * options.ascentSteps + ascent;
    const images = place.batches("perturbation", draw);
    const perturbed = perturbations.apply(values, images, "perturbation", draw);
    const loss = crossEntropyTo(await pseudoLabels(run, images));
    const found = await place.tower.pass(theta, perturbed, { loss, parameters: false, pixels: true, imageLosses: true });
    perturbations.ascend(values, perturbed, found, "perturbation", draw);
  }
}

/** M1 ← Adam(∇L_perf). */
export async function updateTaskSharedMask(run: DamRun, masks: SampledMasks, step: number): Promise<Losses> {
  if (!masks.byName.has("shared")) return {};
  const merge = mergeNow(run, masks.factors);
  const { loss, gradient } = await performancePass(run, merge.theta, run.place.batches("shared mask", step));
  return { performance: loss, ...stepMask(run, "shared", masks, gradient, merge.turnIntoCombined()) };
}

/** M2 ← Adam(∇(L_perf + α L_safe)). */
export async function updateBackdoorMask(run: DamRun, masks: SampledMasks, step: number): Promise<Losses> {
  if (!masks.byName.has("backdoor")) return {};
  const merge = mergeNow(run, masks.factors);
  const images = run.place.batches("backdoor mask", step);
  const { loss, gradient } = await performancePass(run, merge.theta, images);
  const safety = run.options.safety === "none" ? null : await safetyPass(run, merge.theta, images, "backdoor mask", step, false);
  if (safety) addVector(gradient, run.options.alpha, safety.gradient);
  return {
    performance: loss,
    ...(safety && { safety: safety.loss }),
    ...stepMask(run, "backdoor", masks, gradient, merge.turnIntoCombined()),
  };
}

/**
 * A whole iteration from one clean pass and, where M2's turn is, one perturbed pass: the clean one gives the gradients of λ and of the mask,
 * the perturbed one those of the mask and of the perturbation, its last ascent step. All three are taken at the same λ.
 */
export async function updateTogether(run: DamRun, masks: SampledMasks, name: MaskName, step: number): Promise<Losses> {
  const { place, options, variables, perturbations } = run;
  const merge = mergeNow(run, masks.factors);
  const images = place.batches("coefficients", step);
  const { loss, gradient } = await performancePass(run, merge.theta, images);
  stepVariable(
    variables.coefficients,
    coefficientGradient(place.space, options.coefficients, gradient, masks.factors),
    options.learningRate,
  );
  if (options.clamp) clampCoefficients(variables.coefficients.values);
  if (!masks.byName.has(name)) return { performance: loss };
  const defends = name === "backdoor" && options.safety !== "none";
  if (defends) await synthesisePerturbations(run, masks, step, options.ascentSteps - 1);
  const safety = defends ? await safetyPass(run, merge.theta, images, "coefficients", step, true) : null;
  if (safety) {
    addVector(gradient, options.alpha, safety.gradient);
    perturbations.ascend(variables.perturbations.values, safety.perturbed, safety, "coefficients", step);
  }
  return { performance: loss, ...(safety && { safety: safety.loss }), ...stepMask(run, name, masks, gradient, merge.turnIntoCombined()) };
}

async function performancePass(run: DamRun, theta: Float32Array, images: readonly Float32Array[]): Promise<PassResult> {
  return run.place.tower.pass(theta, images, { loss: await performanceLoss(run, images) }, run.place.rooms.take("gradient"));
}

/** L_safe = Σ_t CE(f_θ(perturbed images), f_0's classes of the clean ones). */
async function safetyPass(
  run: DamRun,
  theta: Float32Array,
  images: readonly Float32Array[],
  phase: string,
  step: number,
  pixels: boolean,
): Promise<PassResult & { perturbed: Float32Array[] }> {
  const perturbed = run.perturbations.apply(run.variables.perturbations.values, images, phase, step);
  return {
    perturbed,
    ...(await run.place.tower.pass(
      theta,
      perturbed,
      { loss: crossEntropyTo(await pseudoLabels(run, images)), pixels, imageLosses: pixels },
      run.place.rooms.take("spare"),
    )),
  };
}

function stepMask(run: DamRun, name: MaskName, masks: SampledMasks, gradient: Float32Array, combined: Float32Array): Losses {
  const { layout, options, variables } = run;
  const variable = variables.masks.get(name)!;
  const others = [...masks.byName].filter(([other]) => other !== name).map(([, mask]) => mask);
  const slopes = maskGradient(gradient, combined, gradient); // in place: nobody needs the gradient any more
  stepVariable(variable, logitGradient(layout, masks.byName.get(name)!, slopes, others, slopes), options.maskLearningRate);
  return { [`${name}Density`]: maskDensity(layout, variable.values) };
}
