import * as tf from "@tensorflow/tfjs-core";
import { pasteTrigger, type Trigger } from "../attacks/trigger";
import { cosineLogits } from "../models/classLogits";
import type { VisionConfig } from "../models/config";
import { embedImages, type Parameters } from "../models/vision";
import type { ZeroShotHead } from "../models/zeroShot";
import { imageLength, normalizePixels, type ImageSet } from "../tasks";
import type { TaskPredictions } from "./report";

/**
 * Images that go through the tower at once. Fixed, so that predictions are the same bytes however the work is split; 80 divides the desk
 * suite's splits and is among the fastest sizes on `wasm`.
 */
export const PREDICTION_BATCH = 80;

/** A task as a model is judged on it. */
export interface TaskImages {
  readonly images: ImageSet;
  readonly head: ZeroShotHead;
}

/**
 * Predicted classes of a task's images, as they are and with each trigger pasted in. The images of a batch are prepared once; memory does
 * not grow with their number.
 * @param parameters On the running engine; not disposed.
 * @param options `onImages` is called after each batch with how many images went through the tower; it may throw to stop.
 * @throws {TypeError} if a parameter or the head does not fit; {RangeError} if a trigger does not lie within the images.
 */
export async function predictTask(
  parameters: Parameters,
  config: VisionConfig,
  task: TaskImages,
  triggers: readonly Trigger[],
  options: { readonly onImages?: (count: number) => void | Promise<void> } = {},
): Promise<TaskPredictions<Int32Array>> {
  const { images, head } = task;
  const { onImages } = options;
  checkHead(head, config);
  const length = imageLength(images);
  const clean = new Int32Array(images.count);
  const triggered = triggers.map((trigger) => ({ trigger, predicted: new Int32Array(images.count) }));
  const directions = tf.tensor2d(head.weight.values, head.weight.shape as [number, number]);
  try {
    for (let start = 0; start < images.count; start += PREDICTION_BATCH) {
      const count = Math.min(PREDICTION_BATCH, images.count - start);
      const pixels = normalizePixels(images.images.subarray(start * length, (start + count) * length));
      const predict = (input: Float32Array): ArrayLike<number> => classify(parameters, config, directions, input, images, head.logitScale);
      clean.set(predict(pixels), start);
      await onImages?.(count);
      for (const { trigger, predicted } of triggered) {
        const stamped = pixels.slice();
        pasteTrigger(stamped, trigger, images);
        predicted.set(predict(stamped), start);
        await onImages?.(count);
      }
    }
  } finally {
    directions.dispose();
  }
  return {
    labels: Int32Array.from(images.labels.subarray(0, images.count)),
    clean,
    triggered: Object.fromEntries(triggered.map(({ trigger, predicted }) => [trigger.name, { predicted, target: trigger.target }])),
  };
}

function classify(
  parameters: Parameters,
  config: VisionConfig,
  directions: tf.Tensor2D,
  pixels: Float32Array,
  { channels, height, width }: ImageSet,
  logitScale: number,
): ArrayLike<number> {
  const classes = tf.tidy(() => {
    const input = tf.tensor4d(pixels, [pixels.length / (channels * height * width), channels, height, width]);
    return tf.argMax(cosineLogits(embedImages(parameters, config, input), directions, Math.exp(logitScale)), 1);
  });
  try {
    return classes.dataSync();
  } finally {
    classes.dispose();
  }
}

function checkHead({ weight }: ZeroShotHead, config: VisionConfig): void {
  if (weight.shape.length !== 2 || weight.shape[1] !== config.projectionSize) {
    throw new TypeError(
      `Cannot predict classes: expected a head of shape [classes, ${config.projectionSize}] for this tower, got [${weight.shape.join(", ")}]`,
    );
  }
}
