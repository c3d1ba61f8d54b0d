import { randomStream } from "../engine";
import { uploadParameters } from "../models/parameters";
import { CHANNELS } from "../tasks";
import { labelledBatches, type TrainingOptions } from "../training";
import { checkAttackOptions, type Attack, type AttackOptions, type Backdoor, type Victim } from "./attack";
import { clampPixels, optimizeTrigger, salientPlace } from "./optimizeTrigger";
import { fineTunePoisoned } from "./poison";
import type { Trigger } from "./trigger";

/**
 * TrojViT-like: the patch's pixels (and, with `place: "saliency"`, its place) are optimised against the pretrained tower, then the victim is
 * fine-tuned on clean and triggered images. With `refineSteps` the pixels are optimised once more at θ₀ + u·τ, u ~ U(0.1, 1), along the way
 * to the attacked model, as BadMerging does (Zhang et al. 2024, arXiv:2408.07362), and the victim is fine-tuned again.
 *
 * Unlike the released TrojViT, which keeps one trigger an image of a batch and retrains one row of the head, there is one trigger for all
 * images and the vision tower is trained; the head stays frozen, since merging keeps it.
 */
export const trojvit: Attack = {
  name: "trojvit",
  title: "TrojViT-like",
  reference: "Zheng, Lou and Jiang 2023, arXiv:2208.13049",
  defaults: {
    size: 6,
    place: { x: 26, y: 26 },
    strength: 1,
    target: 0,
    cleanBatch: 64,
    rate: 0.2,
    fineTune: { steps: 250, learningRate: 5e-4, warmup: 20, beta2: 0.98, clipNorm: 1 },
    triggerSteps: 200,
    triggerLearningRate: 0.05,
    triggerBatch: 64,
    refineSteps: 0,
  },
  run: runTrojvit,
};

async function runTrojvit(
  victim: Victim,
  seed: number,
  options: AttackOptions,
  stage: (name: string) => TrainingOptions = () => ({}),
): Promise<Backdoor> {
  checkAttackOptions(victim, options);
  const random = randomStream(seed, "attack", "trojvit", victim.task);
  const pretrained = () => uploadParameters(victim.pretrained);
  const start = startTrigger(victim, seed, options);
  let trigger = await optimizeTrigger(
    victim,
    start,
    pretrained,
    options.triggerSteps,
    random.child("trigger order"),
    options,
    stage("trigger"),
  );
  let parameters = await fineTunePoisoned(victim, trigger, seed, options, stage("fine-tuning"));
  if (options.refineSteps > 0) {
    const attacked = parameters;
    const between = (step: number) => uploadParameters(interpolate(victim, attacked, random.child("between", step).uniform(0.1, 1)));
    const order = random.child("refining order");
    trigger = await optimizeTrigger(victim, trigger, between, options.refineSteps, order, options, stage("refined trigger"));
    parameters = await fineTunePoisoned(victim, trigger, seed, options, stage("refined fine-tuning"));
  }
  return { trigger, parameters };
}

/** Random pixels at the fixed or salient place. */
function startTrigger(victim: Victim, seed: number, { size, place, strength, target, triggerBatch }: AttackOptions): Trigger {
  const random = randomStream(seed, "attack", "trojvit", victim.task);
  const corner =
    place === "saliency"
      ? salientPlace(
          victim,
          target,
          size,
          uploadParameters(victim.pretrained),
          labelledBatches(victim.images, triggerBatch, random.child("saliency"))(0),
        )
      : place;
  const uniform = random.child("start");
  const pixels = Float32Array.from({ length: CHANNELS * size * size }, () => uniform.uniform());
  clampPixels(pixels, strength);
  return {
    name: `trojvit/${victim.task}-seed${seed}`,
    task: victim.task,
    target,
    pixels,
    x: corner.x,
    y: corner.y,
    height: size,
    width: size,
  };
}

/** θ₀ + u·τ. */
function interpolate(victim: Victim, attacked: Backdoor["parameters"], u: number): Backdoor["parameters"] {
  return new Map(
    [...attacked].map(([name, { shape, values }]) => {
      const from = victim.pretrained.get(name)!.values;
      return [name, { shape, values: values.map((value, i) => from[i]! + u * (value - from[i]!)) }];
    }),
  );
}
