/** What is minimised without labels. */
import * as tf from "@tensorflow/tfjs-core";
import { crossEntropy } from "../../models";
import { oneHot } from "../../training";
import type { TaskLoss } from "./tower";

/** Mean entropy of softmax(logits), −mean Σ p log(p + 1e-8), as in FusionBench. */
export function entropyLoss(logits: tf.Tensor2D): tf.Scalar {
  return tf.tidy(() => {
    const probabilities = tf.softmax(logits);
    return tf.mul(tf.sum(tf.mul(probabilities, tf.log(tf.add(probabilities, 1e-8)))), -1 / logits.shape[0]) as tf.Scalar;
  });
}

/** Mean cross-entropy to given classes, one array a task. */
export function crossEntropyTo(labels: readonly Int32Array[]): TaskLoss {
  return (logits, task) => tf.tidy(() => crossEntropy(logits, oneHot(labels[task]!, logits.shape[1])));
}

/** A loss that is a sum of others, each times a factor. */
export function weightedLoss(...terms: readonly (readonly [factor: number, loss: TaskLoss])[]): TaskLoss {
  return (logits, task) =>
    terms.map(([factor, loss]) => tf.mul(loss(logits, task), factor) as tf.Scalar).reduce((sum, next) => tf.add(sum, next));
}
