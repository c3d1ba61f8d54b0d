/** What is minimised without labels; plain data, so that worker threads understand it. */
import * as tf from "@tensorflow/tfjs-core";
import { crossEntropy } from "../../models";
import { oneHot } from "../../training";

/** A task's loss: a weighted sum of the mean entropy and of the mean cross-entropy to given classes. All tasks' losses are added. */
export interface TaskLoss {
  /** Weight of the entropy. */
  readonly entropy: number;
  /** Weight of the cross-entropy; 0 needs no labels. */
  readonly crossEntropy: number;
  /** Class of each image, task by task. */
  readonly labels?: readonly Int32Array[];
}

/** The entropy alone. */
export const entropyLoss: TaskLoss = { entropy: 1, crossEntropy: 0 };

/** The cross-entropy to given classes alone, one array a task. */
export function crossEntropyTo(labels: readonly Int32Array[]): TaskLoss {
  return { entropy: 0, crossEntropy: 1, labels };
}

/** A task's loss from its logits [batch, classes]. */
export function computeLoss(loss: TaskLoss, logits: tf.Tensor2D, task: number): tf.Scalar {
  const terms: tf.Scalar[] = [];
  if (loss.entropy !== 0) terms.push(tf.mul(meanEntropy(logits), loss.entropy));
  if (loss.crossEntropy !== 0) {
    terms.push(tf.mul(crossEntropy(logits, oneHot(loss.labels![task]!, logits.shape[1])), loss.crossEntropy));
  }
  return terms.reduce((sum, term) => tf.add(sum, term));
}

/** Mean entropy of softmax(logits), −mean Σ p log(p + 1e-8), as in FusionBench. */
export function meanEntropy(logits: tf.Tensor2D): tf.Scalar {
  return tf.tidy(() => {
    const probabilities = tf.softmax(logits);
    return tf.mul(tf.sum(tf.mul(probabilities, tf.log(tf.add(probabilities, 1e-8)))), -1 / logits.shape[0]) as tf.Scalar;
  });
}

/** −log softmax(logits) at each row's label. */
export function imageCrossEntropy(logits: Float32Array, classes: number, labels: Int32Array): Float32Array {
  return Float32Array.from(labels, (label, row) => {
    const scores = logits.subarray(row * classes, (row + 1) * classes);
    const greatest = scores.reduce((most, score) => Math.max(most, score), -Infinity);
    const sum = scores.reduce((total, score) => total + Math.exp(score - greatest), 0);
    return greatest + Math.log(sum) - scores[label]!;
  });
}
