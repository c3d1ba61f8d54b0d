import * as tf from "@tensorflow/tfjs-core";
import { defineFusedKernel } from "./fusedKernel";

/**
 * Layer normalisation of rows: (x − mean) / sqrt(variance + ε) · weight + bias (Ba et al. 2016, arXiv:1607.06450).
 * @param x [n, d]
 * @param weight [d]
 * @param bias [d]
 * @param epsilon ε, 1e-5 in CLIP.
 * @returns [n, d]
 * @throws {TypeError} if the shapes do not fit.
 */
export function layerNorm(x: tf.Tensor2D, weight: tf.Tensor1D, bias: tf.Tensor1D, epsilon = 1e-5): tf.Tensor2D {
  const size = x.shape[1];
  if (weight.shape[0] !== size || bias.shape[0] !== size) {
    throw new TypeError(
      `Cannot normalise rows of ${size} values: expected weight and bias [${size}], got [${weight.shape}] and [${bias.shape}]`,
    );
  }
  return forward([x, weight, bias], { epsilon })[0] as tf.Tensor2D;
}

/** Second output: the mean and the reciprocal standard deviation of each row, [n, 2]. */
const forward = defineFusedKernel({
  name: "DamlabLayerNorm",
  outputShapes: ([x]) => [x!, [x![0]!, 2]],
  loop: ([x, weight, bias], [y, moments], [shape], { epsilon }) => {
    const [rows, size] = shape as [number, number];
    for (let row = 0; row < rows; row++) {
      const start = row * size;
      let sum = 0;
      for (let i = 0; i < size; i++) sum += x![start + i]!;
      const mean = sum / size;
      let squares = 0;
      for (let i = 0; i < size; i++) {
        const centred = x![start + i]! - mean;
        squares += centred * centred;
      }
      const scale = 1 / Math.sqrt(squares / size + epsilon!);
      for (let i = 0; i < size; i++) y![start + i] = (x![start + i]! - mean) * scale * weight![i]! + bias![i]!;
      moments![row * 2] = mean;
      moments![row * 2 + 1] = scale;
    }
  },
  simd: (kernels, { inputs: [x, weight, bias], outputs: [y, moments], shapes: [shape], attributes: { epsilon } }) =>
    kernels.layerNorm(x!, weight!, bias!, y!, moments!, shape![0]!, shape![1]!, epsilon!),
  compose: ([x, weight, bias], { epsilon }) => {
    const { mean, variance } = tf.moments(x!, 1, true);
    const scale = tf.rsqrt(tf.add(variance, epsilon!));
    const y = tf.add(tf.mul(tf.mul(tf.sub(x!, mean), scale), weight!), bias!);
    return [y, tf.concat([mean, scale], 1)];
  },
  gradient: {
    savedOutputs: [1],
    backward: ([dy], [x, weight], [moments]) => {
      const [dx, dWeight, dBias] = backward([dy!, x!, weight!, moments!]);
      return [() => dx!, () => dWeight!, () => dBias!];
    },
  },
});

/** Inputs dy, x, weight, moments; outputs dx, dWeight, dBias. */
const backward = defineFusedKernel({
  name: "DamlabLayerNormGradient",
  outputShapes: ([, x, weight]) => [x!, weight!, weight!],
  loop: ([dy, x, weight, moments], [dx, dWeight, dBias], [shape]) => {
    const [rows, size] = shape as [number, number];
    const weightSum = new Float64Array(size);
    const biasSum = new Float64Array(size);
    for (let row = 0; row < rows; row++) {
      const start = row * size;
      const mean = moments![row * 2]!;
      const scale = moments![row * 2 + 1]!;
      let sum = 0;
      let projection = 0;
      for (let i = 0; i < size; i++) {
        const upstream = dy![start + i]!;
        const normalised = (x![start + i]! - mean) * scale;
        const weighted = upstream * weight![i]!;
        weightSum[i]! += upstream * normalised;
        biasSum[i]! += upstream;
        sum += weighted;
        projection += weighted * normalised;
      }
      sum /= size;
      projection /= size;
      for (let i = 0; i < size; i++) {
        const normalised = (x![start + i]! - mean) * scale;
        dx![start + i] = scale * (dy![start + i]! * weight![i]! - sum - normalised * projection);
      }
    }
    dWeight!.set(weightSum);
    dBias!.set(biasSum);
  },
  simd: (kernels, { inputs: [dy, x, weight, moments], outputs: [dx, dWeight, dBias], shapes: [shape] }) =>
    kernels.layerNormGradient(dy!, x!, weight!, moments!, dx!, dWeight!, dBias!, shape![0]!, shape![1]!),
  compose: ([dy, x, weight, moments]) => {
    const [mean, scale] = tf.split(moments!, 2, 1) as [tf.Tensor, tf.Tensor];
    const normalised = tf.mul(tf.sub(x!, mean), scale);
    const weighted = tf.mul(dy!, weight!);
    const projection = tf.mean(tf.mul(weighted, normalised), 1, true);
    const centred = tf.sub(tf.sub(weighted, tf.mean(weighted, 1, true)), tf.mul(normalised, projection));
    return [tf.mul(centred, scale), tf.sum(tf.mul(dy!, normalised), 0), tf.sum(dy!, 0)];
  },
});
