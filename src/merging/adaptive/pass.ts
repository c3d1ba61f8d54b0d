/** One pass of some images through the merged tower and the tasks' heads; all of it plain data, for this thread or another. */
import * as tf from "@tensorflow/tfjs-core";
import type { NamedTensors } from "../../checkpoints";
import { valueAndGradients } from "../../engine";
import { cosineLogits, embedImages, uploadParameters, type VisionConfig, type ZeroShotHead } from "../../models";
import { downloadGradients, uploadVector, type ParameterLayout } from "../../training";
import { computeLoss, imageCrossEntropy, type TaskLoss } from "./losses";

/** What does not change from pass to pass. */
export interface TowerParts {
  readonly config: VisionConfig;
  readonly layout: ParameterLayout;
  /** Parameters that are not merged. */
  readonly frozen: NamedTensors;
  /** One a task. */
  readonly heads: readonly ZeroShotHead[];
}

/** What is asked of a pass beside the loss. */
export interface PassRequest {
  readonly loss: TaskLoss;
  /** Whether G = ∂L/∂θ is wanted; default true. */
  readonly parameters?: boolean;
  /** Whether ∂L/∂pixels is wanted; default false. */
  readonly pixels?: boolean;
  /** Whether the cross-entropy of each image to its label is wanted; default false. */
  readonly imageLosses?: boolean;
  /** Factor of each task's loss; default 1. */
  readonly shares?: readonly number[];
}

/** What a pass found. */
export interface PassResult {
  /** Sum of the tasks' losses. */
  readonly loss: number;
  /** G on the merged parameters; empty if it was not wanted. */
  readonly gradient: Float32Array;
  /** ∂L/∂pixels of each task's batch, shaped as the batch; empty if it was not wanted. */
  readonly pixelGradients: readonly Float32Array[];
  /** Cross-entropy of each image to its label, task by task; empty if it was not wanted. */
  readonly imageLosses: readonly Float32Array[];
}

/** One forward and backward pass of all batches together. */
export function computePass(parts: TowerParts, theta: Float32Array, batches: readonly Float32Array[], request: PassRequest): PassResult {
  const { loss, parameters = true, pixels = false, imageLosses = false, shares } = request;
  return withTower(parts, theta, batches, (tower) => {
    const wanted = new Map<string, tf.Tensor>(parameters ? tower.merged : []);
    if (pixels) wanted.set(PIXELS, tower.input);
    const kept: tf.Tensor2D[] = [];
    const total = (): tf.Scalar =>
      taskLogits(parts, tower, batches)
        .map((logits, task) => {
          if (imageLosses) kept.push(tf.keep(logits));
          return tf.mul(computeLoss(loss, logits, task), shares?.[task] ?? 1) as tf.Scalar;
        })
        .reduce((sum, next) => tf.add(sum, next));
    const { value, gradients } = valueAndGradients(total, wanted);
    const found = {
      loss: value.dataSync()[0]!,
      gradient: parameters ? downloadGradients(gradients, parts.layout) : new Float32Array(0),
      pixelGradients: pixels ? cut(gradients.get(PIXELS)!.dataSync() as Float32Array, batches) : [],
      imageLosses: kept.map((logits, task) => imageCrossEntropy(logits.dataSync() as Float32Array, logits.shape[1], loss.labels![task]!)),
    };
    tf.dispose([value, ...kept, ...gradients.values()]);
    return found;
  });
}

/** Most likely class of each image, task by task. */
export function computeClasses(parts: TowerParts, theta: Float32Array, batches: readonly Float32Array[]): Int32Array[] {
  return withTower(parts, theta, batches, (tower) => {
    const classes = tf.tidy(() => taskLogits(parts, tower, batches).map((logits) => tf.argMax(logits, 1)));
    const values = classes.map((tensor) => Int32Array.from(tensor.dataSync()));
    tf.dispose(classes);
    return values;
  });
}

const PIXELS = "pixels";

interface Tower {
  readonly merged: Map<string, tf.Tensor>;
  readonly frozen: Map<string, tf.Tensor>;
  readonly directions: readonly tf.Tensor2D[];
  readonly input: tf.Tensor4D;
}

/** Brings everything to the running engine and disposes it afterwards. */
function withTower<Result>(
  parts: TowerParts,
  theta: Float32Array,
  batches: readonly Float32Array[],
  use: (tower: Tower) => Result,
): Result {
  const size = parts.config.imageSize;
  const pixels = joinArrays(batches);
  const tower: Tower = {
    merged: uploadVector(theta, parts.layout),
    frozen: uploadParameters(parts.frozen),
    directions: parts.heads.map(({ weight }) => tf.tensor2d(weight.values, [weight.shape[0]!, weight.shape[1]!])),
    input: tf.tensor4d(pixels, [imagesIn(pixels, parts), 3, size, size]),
  };
  try {
    return use(tower);
  } finally {
    tf.dispose([tower.input, ...tower.merged.values(), ...tower.frozen.values(), ...tower.directions]);
  }
}

function taskLogits(parts: TowerParts, { merged, frozen, directions, input }: Tower, batches: readonly Float32Array[]): tf.Tensor2D[] {
  const embeddings = embedImages(new Map([...frozen, ...merged]), parts.config, input);
  let start = 0;
  return directions.map((rows, task) => {
    const count = imagesIn(batches[task]!, parts);
    const own = tf.slice(embeddings, [start, 0], [count, -1]);
    start += count;
    return cosineLogits(own, rows, Math.exp(parts.heads[task]!.logitScale));
  });
}

/** How many images some pixels are. */
export function imagesIn(pixels: Float32Array, { config }: TowerParts): number {
  return pixels.length / (3 * config.imageSize ** 2);
}

/** Arrays one after another. */
export function joinArrays(arrays: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let start = 0;
  for (const array of arrays) {
    joined.set(array, start);
    start += array.length;
  }
  return joined;
}

function cut(values: Float32Array, batches: readonly Float32Array[]): Float32Array[] {
  let start = 0;
  return batches.map((batch) => values.slice(start, (start += batch.length)));
}
