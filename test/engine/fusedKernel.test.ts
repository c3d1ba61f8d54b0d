import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { startEngine, randomStream } from "../../src/engine";

/** Kernels with the shapes of their inputs and their attributes. */
const KERNELS: readonly { name: string; shapes: number[][]; attributes?: Record<string, number> }[] = [
  { name: "DamlabColumnSum", shapes: [[5, 6]] },
  { name: "DamlabAddBias", shapes: [[5, 6], [6]] },
  { name: "DamlabLayerNorm", shapes: [[5, 6], [6], [6]], attributes: { epsilon: 1e-3 } },
  { name: "DamlabLayerNormGradient", shapes: [[5, 6], [5, 6], [6], [5, 2]] },
  { name: "DamlabQuickGelu", shapes: [[5, 6]] },
  {
    name: "DamlabQuickGeluGradient",
    shapes: [
      [5, 6],
      [5, 6],
    ],
  },
  { name: "DamlabGelu", shapes: [[5, 6]] },
  {
    name: "DamlabGeluGradient",
    shapes: [
      [5, 6],
      [5, 6],
    ],
  },
  {
    name: "DamlabAttention",
    shapes: [
      [10, 6],
      [10, 6],
      [10, 6],
    ],
    attributes: { tokens: 5, heads: 2 },
  },
  {
    name: "DamlabAttentionGradient",
    shapes: [
      [10, 6],
      [10, 6],
      [10, 6],
      [10, 6],
      [4, 5, 5],
    ],
    attributes: { tokens: 5, heads: 2 },
  },
  { name: "DamlabCutPatches", shapes: [[2, 3, 4, 6]], attributes: { patchSize: 2 } },
  { name: "DamlabPastePatches", shapes: [[12, 12]], attributes: { patchSize: 2, batch: 2, channels: 3, height: 4, width: 6 } },
];

describe("defineFusedKernel()", () => {
  before(async () => void (await startEngine("wasm")));

  for (const { name, shapes, attributes = {} } of KERNELS) {
    it(`defineFusedKernel() registers ${name} in forms that agree: SIMD, loop, and TensorFlow's operations`, async () => {
      const values = shapes.map((shape, index) => randomStream(0, name, index).normals(tf.util.sizeFromShape(shape)));
      const upload = (): tf.Tensor[] => values.map((each, index) => tf.tensor(each, shapes[index]!));
      const read = (tensors: tf.Tensor[]): Float32Array[] => tensors.map((tensor) => tensor.dataSync().slice() as Float32Array);
      const run = (): Float32Array[] =>
        tf.tidy(() => {
          const outputs = tf.engine().runKernel(name, upload() as unknown as tf.NamedTensorMap, attributes as unknown as tf.NamedAttrMap);
          return read((Array.isArray(outputs) ? outputs : [outputs]) as tf.Tensor[]);
        });
      const simd = run();
      // The form for TensorFlow is made of built-in operations, which the WebAssembly backend has too.
      const compose = tf.getKernel(name, "tensorflow").kernelFunc;
      const composed = tf.tidy(() =>
        read(
          compose({
            inputs: upload() as unknown as tf.NamedTensorInfoMap,
            backend: tf.backend(),
            attrs: attributes as unknown as tf.NamedAttrMap,
          }) as tf.Tensor[],
        ),
      );
      await startEngine("cpu");
      const loop = run();
      await startEngine("wasm");
      for (const other of [composed, loop]) {
        assert.equal(other.length, simd.length);
        // float32, at most 12 terms of order 1
        simd.forEach((output, index) =>
          output.forEach((value, i) =>
            assert.ok(Math.abs(value - other[index]![i]!) < 2e-5, `${index}/${i}: ${value}, ${other[index]![i]}`),
          ),
        );
      }
    });
  }
});
