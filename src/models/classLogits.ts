import * as tf from "@tensorflow/tfjs-core";
import { matMul } from "../engine";

/**
 * Logits of a zero-shot head: scale · cosine of each embedding with each class direction (Radford et al. 2021, arXiv:2103.00020).
 * @param embeddings [batch, dim]; need not be normalised.
 * @param directions [classes, dim], unit rows.
 * @param scale exp(logit scale), 100 in OpenAI's CLIP.
 * @returns [batch, classes]
 */
export function cosineLogits(embeddings: tf.Tensor2D, directions: tf.Tensor2D, scale: number): tf.Tensor2D {
  return tf.tidy(() => tf.mul(matMul(normalizeRows(embeddings), directions, false, true), scale));
}

/** Rows divided by their Euclidean norm; rows of zeros stay zeros. */
export function normalizeRows(rows: tf.Tensor2D): tf.Tensor2D {
  return tf.tidy(() => tf.mul(rows, tf.rsqrt(tf.add(tf.sum(tf.square(rows), 1, true), 1e-12))));
}

/**
 * Mean cross-entropy between target distributions and softmax(logits).
 * @param logits [batch, classes]
 * @param targets [batch, classes]; rows sum to 1.
 */
export function crossEntropy(logits: tf.Tensor2D, targets: tf.Tensor2D): tf.Scalar {
  return tf.tidy(() => tf.mul(tf.sum(tf.mul(tf.logSoftmax(logits), targets)), -1 / logits.shape[0]) as tf.Scalar);
}
