/** Finds trigger pixels, and a place for them, by the gradient of the target's cross-entropy (Zheng et al. 2023, TrojViT, arXiv:2208.13049). */
import * as tf from "@tensorflow/tfjs-core";
import { valueAndGradients, type RandomStream } from "../engine";
import { crossEntropy } from "../models/classLogits";
import { embedImages } from "../models/vision";
import { classLogits } from "../models/zeroShot";
import { CHANNELS, STD } from "../tasks";
import { labelledBatches, oneHot, train, type Batch, type TrainingOptions } from "../training";
import type { AttackOptions, Victim } from "./attack";
import { pasteTrigger, type Trigger } from "./trigger";

/** Decay of Adam's second moment; the steps are few. */
const TRIGGER_BETA2 = 0.98;

/** Model parameters against which step `step` optimises; the caller disposes the tensors. */
export type TowerOfStep = (step: number) => Map<string, tf.Tensor>;

/**
 * Minimises the cross-entropy of the target class over triggered training images by Adam on the trigger's pixels.
 * @param start The pixels before the first step; not changed.
 * @returns The same trigger with other pixels.
 */
export async function optimizeTrigger(
  victim: Victim,
  start: Trigger,
  towerOfStep: TowerOfStep,
  steps: number,
  random: RandomStream,
  { strength, triggerBatch, triggerLearningRate }: AttackOptions,
  options: TrainingOptions = {},
): Promise<Trigger> {
  const batches = labelledBatches(victim.images, triggerBatch, random);
  const pixels = await train(
    {
      name: `trigger ${start.name}`,
      parameters: start.pixels,
      steps,
      learningRate: () => triggerLearningRate,
      adam: { beta2: TRIGGER_BETA2 },
      computeGradient: (step, current) => {
        const trigger = { ...start, pixels: current };
        const batch = batches(step);
        pasteTrigger(batch.pixels, trigger, victim.images);
        const { loss, gradient } = targetGradient(victim, start.target, towerOfStep(step), batch);
        return { gradient: gatherTrigger(gradient, trigger, victim.config.imageSize), losses: { loss } };
      },
      project: (current) => clampPixels(current, strength),
    },
    options,
  );
  return { ...start, pixels };
}

/** Where a square of `size` pixels sees the largest sum of |∂ cross-entropy of the target / ∂ pixel| over a batch. */
export function salientPlace(
  victim: Victim,
  target: number,
  size: number,
  parameters: Map<string, tf.Tensor>,
  batch: Batch,
): { x: number; y: number } {
  const { imageSize } = victim.config;
  const { gradient } = targetGradient(victim, target, parameters, batch);
  const saliency = new Float64Array(imageSize ** 2);
  gradient.forEach((value, index) => (saliency[index % saliency.length]! += Math.abs(value)));
  let best = { x: 0, y: 0, sum: -1 };
  for (let y = 0; y + size <= imageSize; y++) {
    for (let x = 0; x + size <= imageSize; x++) {
      let sum = 0;
      for (let row = y; row < y + size; row++) for (let column = x; column < x + size; column++) sum += saliency[row * imageSize + column]!;
      if (sum > best.sum) best = { x, y, sum };
    }
  }
  return { x: best.x, y: best.y };
}

/** Brings pixels into 0.5 ± strength / 2, in place. */
export function clampPixels(pixels: Float32Array, strength: number): void {
  const [low, high] = [0.5 - strength / 2, 0.5 + strength / 2];
  for (let i = 0; i < pixels.length; i++) pixels[i] = Math.min(high, Math.max(low, pixels[i]!));
}

/** Mean cross-entropy of the target class, and its gradient by the batch's pixels. Disposes the parameters. */
function targetGradient(
  victim: Victim,
  target: number,
  parameters: Map<string, tf.Tensor>,
  batch: Batch,
): { loss: number; gradient: Float32Array } {
  const { config, head } = victim;
  const pixels = tf.tensor4d(batch.pixels, [batch.count, CHANNELS, config.imageSize, config.imageSize]);
  const targets = oneHot(new Int32Array(batch.count).fill(target), head.weight.shape[0]!);
  const loss = (): tf.Scalar => crossEntropy(classLogits(embedImages(parameters, config, pixels), head), targets);
  const { value, gradients } = valueAndGradients(loss, new Map([["pixels", pixels]]));
  const result = { loss: value.dataSync()[0]!, gradient: gradients.get("pixels")!.dataSync() as Float32Array };
  tf.dispose([pixels, targets, value, ...gradients.values(), ...parameters.values()]);
  return result;
}

/** Sums a batch's pixel gradients over the images where the trigger lies, in pixel units of [0, 1]. */
function gatherTrigger(gradient: Float32Array, { x, y, height, width }: Trigger, imageSize: number): Float32Array {
  const sums = new Float32Array(CHANNELS * height * width);
  const plane = imageSize ** 2;
  for (let image = 0; image < gradient.length; image += CHANNELS * plane) {
    for (let place = 0; place < sums.length; place++) {
      const channel = Math.floor(place / (height * width));
      const row = Math.floor(place / width) % height;
      sums[place]! += gradient[image + channel * plane + (y + row) * imageSize + x + (place % width)]! / STD;
    }
  }
  return sums;
}
