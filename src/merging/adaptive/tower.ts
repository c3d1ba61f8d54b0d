/** The vision tower with its tasks' heads: one pass over all tasks' batches gives losses and gradients. */
import * as tf from "@tensorflow/tfjs-core";
import { valueAndGradients } from "../../engine";
import { cosineLogits, embedImages, type VisionConfig, type ZeroShotHead } from "../../models";
import { downloadGradients, uploadVector } from "../../training";
import type { MergeSpace } from "./mergeSpace";

/** A task's loss; `logits` [batch, classes]. All tasks' losses are added. */
export type TaskLoss = (logits: tf.Tensor2D, task: number) => tf.Scalar;

/** What a pass is asked for beside the loss. */
export interface PassRequest {
  readonly loss: TaskLoss;
  /** Whether G = ∂L/∂θ is wanted; default true. */
  readonly parameters?: boolean;
  /** Whether ∂L/∂pixels is wanted; default false. */
  readonly pixels?: boolean;
}

/** What a pass found. */
export interface PassResult {
  /** Sum of the tasks' losses. */
  readonly loss: number;
  /** G on the merged parameters; empty if it was not wanted. */
  readonly gradient: Float32Array;
  /** ∂L/∂pixels of each task's batch, shaped as the batch; empty if it was not wanted. */
  readonly pixelGradients: readonly Float32Array[];
}

/** A tower on the running engine; the frozen parameters and the heads stay there until `dispose()`. */
export class AdaptationTower {
  private readonly frozen: Map<string, tf.Tensor>;
  private readonly directions: readonly tf.Tensor2D[];

  constructor(
    private readonly config: VisionConfig,
    private readonly space: MergeSpace,
    private readonly heads: readonly ZeroShotHead[],
  ) {
    const merged = new Set(space.layout.map(({ name }) => name));
    const frozen = [...space.pretrained].filter(([name]) => !merged.has(name));
    this.frozen = new Map(frozen.map(([name, { shape, values }]) => [name, tf.tensor(values, [...shape], "float32")]));
    this.directions = heads.map(({ weight }) => tf.tensor2d(weight.values, [weight.shape[0]!, weight.shape[1]!]));
  }

  /**
   * One forward and backward pass of all batches together.
   * @param theta Merged parameters, as `mergeMasked` gives them.
   * @param batches One a task: [images, 3, height, width], normalised.
   */
  pass(theta: Float32Array, batches: readonly Float32Array[], { loss, parameters = true, pixels = false }: PassRequest): PassResult {
    const merged = uploadVector(theta, this.space.layout);
    const input = this.upload(batches);
    try {
      const wanted = new Map<string, tf.Tensor>(parameters ? merged : []);
      if (pixels) wanted.set(PIXELS, input);
      const { value, gradients } = valueAndGradients(() => this.totalLoss(merged, input, batches, loss), wanted);
      const found = {
        loss: value.dataSync()[0]!,
        gradient: parameters ? downloadGradients(gradients, this.space.layout) : new Float32Array(0),
        pixelGradients: pixels ? cut(gradients.get(PIXELS)!.dataSync() as Float32Array, batches) : [],
      };
      tf.dispose([value, ...gradients.values()]);
      return found;
    } finally {
      tf.dispose([input, ...merged.values()]);
    }
  }

  /** Most likely class of each image, task by task. */
  classify(theta: Float32Array, batches: readonly Float32Array[]): Int32Array[] {
    const merged = uploadVector(theta, this.space.layout);
    const input = this.upload(batches);
    try {
      const classes = tf.tidy(() => this.logits(merged, input, batches).map((logits) => tf.argMax(logits, 1)));
      const values = classes.map((tensor) => Int32Array.from(tensor.dataSync()));
      tf.dispose(classes);
      return values;
    } finally {
      tf.dispose([input, ...merged.values()]);
    }
  }

  dispose(): void {
    tf.dispose([...this.frozen.values(), ...this.directions]);
  }

  private totalLoss(merged: Map<string, tf.Tensor>, input: tf.Tensor4D, batches: readonly Float32Array[], loss: TaskLoss): tf.Scalar {
    const losses = this.logits(merged, input, batches).map(loss);
    return losses.reduce((sum, next) => tf.add(sum, next));
  }

  private logits(merged: Map<string, tf.Tensor>, input: tf.Tensor4D, batches: readonly Float32Array[]): tf.Tensor2D[] {
    const embeddings = embedImages(new Map([...this.frozen, ...merged]), this.config, input);
    let start = 0;
    return this.directions.map((directions, task) => {
      const count = this.images(batches[task]!);
      const rows = tf.slice(embeddings, [start, 0], [count, -1]);
      start += count;
      return cosineLogits(rows, directions, Math.exp(this.heads[task]!.logitScale));
    });
  }

  private upload(batches: readonly Float32Array[]): tf.Tensor4D {
    const size = this.config.imageSize;
    const joined = new Float32Array(batches.reduce((sum, batch) => sum + batch.length, 0));
    let start = 0;
    for (const batch of batches) {
      joined.set(batch, start);
      start += batch.length;
    }
    return tf.tensor4d(joined, [this.images(joined), 3, size, size]);
  }

  private images(pixels: Float32Array): number {
    return pixels.length / (3 * this.config.imageSize ** 2);
  }
}

const PIXELS = "pixels";

function cut(values: Float32Array, batches: readonly Float32Array[]): Float32Array[] {
  let start = 0;
  return batches.map((batch) => values.slice(start, (start += batch.length)));
}
