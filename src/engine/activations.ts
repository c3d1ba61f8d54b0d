/** The two activations of CLIP towers, each one loop forward and one backward. */
import * as tf from "@tensorflow/tfjs-core";
import { defineFusedKernel } from "./fusedKernel";
import type { SimdKernels } from "./simd/instance";

/** Activation names as in Hugging Face configurations. */
export const ACTIVATIONS = ["quick_gelu", "gelu"] as const;
/** One of `ACTIVATIONS`. */
export type Activation = (typeof ACTIVATIONS)[number];

/** x · sigmoid(1.702 x), the approximation that OpenAI's CLIP was trained with; any shape. */
export function quickGelu<T extends tf.Tensor>(x: T): T {
  return quickGeluForward([x])[0] as T;
}

/** x · Φ(x) with Φ the standard normal distribution function, from erf (Hendrycks and Gimpel 2016, arXiv:1606.08415); any shape. */
export function gelu<T extends tf.Tensor>(x: T): T {
  return geluForward([x])[0] as T;
}

const QUICK = 1.702;

const quickGeluForward = defineActivation({
  name: "DamlabQuickGelu",
  value: (x) => x / (1 + Math.exp(-QUICK * x)),
  derivative: (x) => {
    const gate = 1 / (1 + Math.exp(-QUICK * x));
    return gate * (1 + QUICK * x * (1 - gate));
  },
  simdValue: (kernels, x, y, length) => kernels.quickGelu(x, y, length),
  simdDerivative: (kernels, dy, x, dx, length) => kernels.quickGeluGradient(dy, x, dx, length),
  composeValue: (x) => tf.mul(x, tf.sigmoid(tf.mul(x, QUICK))),
  composeDerivative: (x) => {
    const gate = tf.sigmoid(tf.mul(x, QUICK));
    return tf.mul(gate, tf.add(1, tf.mul(tf.mul(x, QUICK), tf.sub(1, gate))));
  },
});

const geluForward = defineActivation({
  name: "DamlabGelu",
  value: (x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2)),
  derivative: (x) => 0.5 * (1 + erf(x * Math.SQRT1_2)) + (x * Math.exp(-0.5 * x * x)) / Math.sqrt(2 * Math.PI),
  composeValue: (x) => tf.mul(tf.mul(0.5, x), tf.add(1, tf.erf(tf.mul(x, Math.SQRT1_2)))),
  composeDerivative: (x) => {
    const distribution = tf.mul(0.5, tf.add(1, tf.erf(tf.mul(x, Math.SQRT1_2))));
    const density = tf.mul(tf.exp(tf.mul(-0.5, tf.square(x))), 1 / Math.sqrt(2 * Math.PI));
    return tf.add(distribution, tf.mul(x, density));
  },
});

interface ActivationForms {
  name: string;
  value(x: number): number;
  derivative(x: number): number;
  simdValue?(kernels: SimdKernels, x: number, y: number, length: number): void;
  simdDerivative?(kernels: SimdKernels, dy: number, x: number, dx: number, length: number): void;
  composeValue(x: tf.Tensor): tf.Tensor;
  composeDerivative(x: tf.Tensor): tf.Tensor;
}

function defineActivation(forms: ActivationForms): (inputs: tf.Tensor[]) => tf.Tensor[] {
  const { value, derivative, simdValue, simdDerivative } = forms;
  const backward = defineFusedKernel({
    name: `${forms.name}Gradient`,
    outputShapes: ([shape]) => [shape!],
    loop: ([dy, x], [dx]) => {
      for (let i = 0; i < x!.length; i++) dx![i] = dy![i]! * derivative(x![i]!);
    },
    ...(simdDerivative && {
      simd: (kernels, { inputs: [dy, x], outputs: [dx], shapes: [shape] }) =>
        simdDerivative(kernels, dy!, x!, dx!, tf.util.sizeFromShape(shape!)),
    }),
    compose: ([dy, x]) => [tf.mul(dy!, forms.composeDerivative(x!))],
  });
  return defineFusedKernel({
    name: forms.name,
    outputShapes: ([shape]) => [shape!],
    loop: ([x], [y]) => {
      for (let i = 0; i < x!.length; i++) y![i] = value(x![i]!);
    },
    ...(simdValue && {
      simd: (kernels, { inputs: [x], outputs: [y], shapes: [shape] }) => simdValue(kernels, x!, y!, tf.util.sizeFromShape(shape!)),
    }),
    compose: ([x]) => [forms.composeValue(x!)],
    gradient: { backward: ([dy], [x]) => [() => backward([dy!, x!])[0]!] },
  });
}

/** Abramowitz and Stegun 1964, 7.1.26; absolute error below 1.5e-7, as in TensorFlow.js. */
function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const magnitude = 1 - series * Math.exp(-x * x);
  return x < 0 ? -magnitude : magnitude;
}
