import assert from "node:assert/strict";
import "@tensorflow/tfjs";
import * as tf from "@tensorflow/tfjs-core";
import {
  attention,
  cutPatches,
  gelu,
  layerNorm,
  linear,
  matMul,
  probeEngines,
  quickGelu,
  randomStream,
  startEngine,
  valueAndGradients,
} from "../../src/engine";
import { TENSORFLOW_ENGINE } from "./tensorflowEngine";
import { skipBecause } from "../skip";

/** One operation: ours and the same from TensorFlow.js' own, on the same inputs. */
interface Case {
  readonly name: string;
  readonly shapes: readonly (readonly number[])[];
  ours(inputs: tf.Tensor[]): tf.Tensor;
  plain(inputs: tf.Tensor[]): tf.Tensor;
}

const two = (inputs: tf.Tensor[]) => inputs as [tf.Tensor2D, tf.Tensor2D];

/** tokens 5 and head size 6 leave SIMD lanes over; tokens 8 and head size 8 do not. */
const attentionCase = (tokens: number, heads: number, size: number): Case => ({
  name: `attention() of ${tokens} tokens, ${heads} heads of ${size}`,
  shapes: [1, 2, 3].map(() => [2 * tokens, heads * size]),
  ours: ([q, k, v]) => attention(q as tf.Tensor2D, k as tf.Tensor2D, v as tf.Tensor2D, { tokens, heads }),
  plain: (inputs) => {
    const [q, k, v] = inputs.map((x) => tf.transpose(tf.reshape(x, [2, tokens, heads, size]), [0, 2, 1, 3]));
    const weights = tf.softmax(tf.div(tf.matMul(q!, k!, false, true), Math.sqrt(size)));
    return tf.reshape(tf.transpose(tf.matMul(weights, v!), [0, 2, 1, 3]), [2 * tokens, heads * size]);
  },
});

const layerNormCase = (size: number): Case => ({
  name: `layerNorm() of ${size} values`,
  shapes: [[4, size], [size], [size]],
  ours: ([x, weight, bias]) => layerNorm(x as tf.Tensor2D, weight as tf.Tensor1D, bias as tf.Tensor1D, 1e-3),
  plain: ([x, weight, bias]) => {
    const { mean, variance } = tf.moments(x!, 1, true);
    return tf.add(tf.mul(tf.div(tf.sub(x!, mean), tf.sqrt(tf.add(variance, 1e-3))), weight!), bias!);
  },
});

const CASES: readonly Case[] = [
  ...[
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ].map(([a, b]) => ({
    name: `matMul() with transposes ${a}, ${b}`,
    shapes: [a ? [3, 4] : [4, 3], b ? [5, 3] : [3, 5]],
    ours: (inputs: tf.Tensor[]) => matMul(...two(inputs), a, b),
    plain: (inputs: tf.Tensor[]) => tf.matMul(...two(inputs), a, b),
  })),
  {
    name: "linear() with bias",
    shapes: [[5, 3], [7, 3], [7]],
    ours: ([x, weight, bias]) => linear(x as tf.Tensor2D, weight as tf.Tensor2D, bias as tf.Tensor1D),
    plain: ([x, weight, bias]) => tf.add(tf.matMul(x as tf.Tensor2D, weight as tf.Tensor2D, false, true), bias!),
  },
  {
    name: "linear() without bias",
    shapes: [
      [5, 3],
      [8, 3],
    ],
    ours: ([x, weight]) => linear(x as tf.Tensor2D, weight as tf.Tensor2D),
    plain: ([x, weight]) => tf.matMul(x as tf.Tensor2D, weight as tf.Tensor2D, false, true),
  },
  layerNormCase(8),
  layerNormCase(7),
  {
    name: "quickGelu()",
    shapes: [[3, 5]],
    ours: ([x]) => quickGelu(x!),
    plain: ([x]) => tf.mul(x!, tf.sigmoid(tf.mul(x!, 1.702))),
  },
  {
    name: "gelu()",
    shapes: [[3, 5]],
    ours: ([x]) => gelu(x!),
    plain: ([x]) => tf.mul(tf.mul(x!, 0.5), tf.add(1, tf.erf(tf.div(x!, Math.SQRT2)))),
  },
  attentionCase(5, 2, 6),
  attentionCase(8, 3, 8),
  {
    name: "cutPatches()",
    shapes: [[2, 3, 4, 6]],
    ours: ([x]) => cutPatches(x as tf.Tensor4D, 2),
    // A convolution whose kernel holds one pixel of the patch and nothing else picks that pixel.
    plain: ([x]) => {
      const [batch, channels, height, width] = x!.shape as [number, number, number, number];
      const split = tf.reshape(x!, [batch * channels, height / 2, 2, width]);
      const columns = tf.reshape(tf.transpose(tf.reshape(split, [batch * channels * (height / 2), 2, width / 2, 2]), [0, 2, 1, 3]), [
        batch,
        channels,
        (height / 2) * (width / 2),
        4,
      ]);
      return tf.reshape(tf.transpose(columns, [0, 2, 1, 3]), [(batch * height * width) / 4, channels * 4]);
    },
  },
];

for (const engine of ["wasm", "cpu", TENSORFLOW_ENGINE] as const) {
  describe(`fused operations on ${engine}`, () => {
    before(async function () {
      const { available, reason } = probeEngines().find(({ name }) => name === engine)!;
      if (!available) skipBecause(this, `engine ${engine} is ${reason}`);
      await startEngine(engine);
    });
    after(async () => void (await startEngine("wasm")));

    for (const each of CASES) {
      const inputsOf = (): tf.Tensor[] =>
        each.shapes.map((shape, index) =>
          tf.tensor(randomStream(1, each.name, index).normals(tf.util.sizeFromShape([...shape])), [...shape]),
        );

      it(`${each.name} equals plain TensorFlow.js, value and gradients, and leaks nothing`, () => {
        const inputs = inputsOf();
        const before = tf.memory().numTensors;
        const [ours, plain] = [each.ours, each.plain].map((form) => weightedGradients(form, inputs));
        assert.equal(tf.memory().numTensors, before);
        // float32 sums of at most 24 terms of order 1
        assertClose(ours!.value, plain!.value, 2e-6);
        ours!.gradients.forEach((gradient, index) => assertClose(gradient, plain!.gradients[index]!, 1e-5));
        tf.dispose(inputs);
      });

      it(`${each.name} has the gradients of finite differences`, () => {
        const inputs = inputsOf();
        const { gradients } = weightedGradients(each.ours, inputs);
        inputs.forEach((input, index) => {
          const values = input.dataSync().slice() as Float32Array;
          for (let place = 0; place < values.length; place += 3) {
            const at = (shift: number): number => {
              const moved = values.slice();
              moved[place]! += shift;
              return tf.tidy(() => {
                const replaced = inputs.map((other, i) => (i === index ? tf.tensor(moved, other.shape) : other));
                return weightedSum(each.ours(replaced)).dataSync()[0]!;
              });
            };
            // float32 sums of order 10 and a step of 0.02 leave an error below 1e-2
            const difference = (at(0.01) - at(-0.01)) / 0.02;
            assert.ok(Math.abs(difference - gradients[index]![place]!) < 1e-2, `input ${index}, value ${place}: ${difference}`);
          }
        });
        tf.dispose(inputs);
      });
    }
  });
}

/** A scalar that every output enters with another weight. */
function weightedSum(output: tf.Tensor): tf.Scalar {
  const weights = tf.tensor(randomStream(2, "weights").normals(output.size), output.shape);
  return tf.sum(tf.mul(output, weights));
}

function weightedGradients(form: (inputs: tf.Tensor[]) => tf.Tensor, inputs: tf.Tensor[]) {
  const named = new Map(inputs.map((input, index) => [String(index), input]));
  const value = tf.tidy(() => form(inputs).dataSync().slice() as Float32Array);
  const result = valueAndGradients(() => weightedSum(form(inputs)), named);
  const gradients = [...result.gradients.values()].map((gradient) => gradient.dataSync().slice() as Float32Array);
  tf.dispose([result.value, ...result.gradients.values()]);
  return { value, gradients };
}

function assertClose(actual: Float32Array, expected: Float32Array, tolerance: number): void {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, index) =>
    assert.ok(
      Math.abs(value - expected[index]!) <= tolerance * (1 + Math.abs(expected[index]!)),
      `${index}: ${value} and ${expected[index]}`,
    ),
  );
}
