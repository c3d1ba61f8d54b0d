/** Matrix products with gradients in the form that is fastest on the running backend. */
import * as tf from "@tensorflow/tfjs-core";
import { defineFusedKernel } from "./fusedKernel";
import { nativeMatMul } from "./native/operations";

/**
 * Product of two matrices, [n, k] · [k, m] -> [n, m], with either factor transposed.
 *
 * TensorFlow reads transposed factors at full speed and is called with its rank-2 operation; the WebAssembly kernel is more than ten times
 * slower on transposed factors than on an explicit transpose followed by a plain product.
 * @throws {TypeError} if the inner sizes differ.
 */
export function matMul(a: tf.Tensor2D, b: tf.Tensor2D, transposeA = false, transposeB = false): tf.Tensor2D {
  const inner = [a.shape[transposeA ? 0 : 1], b.shape[transposeB ? 1 : 0]];
  if (inner[0] !== inner[1]) {
    throw new TypeError(
      `Cannot multiply matrices: expected equal inner sizes, got [${a.shape}]${transposeA ? "ᵀ" : ""} and [${b.shape}]${transposeB ? "ᵀ" : ""}`,
    );
  }
  const multiply = tf.customGrad((...args: unknown[]) => {
    const [left, right, save] = args as [tf.Tensor2D, tf.Tensor2D, tf.GradSaveFunc];
    save([left, right]);
    const gradFunc = (gradient: tf.Tensor2D, saved: tf.Tensor[]): tf.Tensor[] => {
      const [x, y] = saved as [tf.Tensor2D, tf.Tensor2D];
      return [
        transposeA ? product(y, gradient, transposeB, true) : product(gradient, y, false, !transposeB),
        transposeB ? product(gradient, x, true, transposeA) : product(x, gradient, !transposeA, false),
      ];
    };
    return {
      value: product(left, right, transposeA, transposeB),
      gradFunc: gradFunc as (dy: tf.Tensor, saved: tf.Tensor[]) => tf.Tensor[],
    };
  });
  return multiply(a, b) as tf.Tensor2D;
}

/**
 * Affine map of rows, `x · weightᵀ + bias`, in the layout of PyTorch's linear layers.
 * @param x [n, in]
 * @param weight [out, in]
 * @param bias [out]; none when null.
 * @returns [n, out]
 * @throws {TypeError} if the shapes do not fit.
 */
export function linear(x: tf.Tensor2D, weight: tf.Tensor2D, bias: tf.Tensor1D | null = null): tf.Tensor2D {
  const [outputs, inputs] = weight.shape;
  if (x.shape[1] !== inputs || (bias && bias.shape[0] !== outputs)) {
    throw new TypeError(
      `Cannot apply a linear layer: input [${x.shape}] does not fit weight [${weight.shape}] and bias [${bias?.shape ?? ""}]`,
    );
  }
  return (bias ? affineKernel([x, weight, bias]) : linearKernel([x, weight]))[0] as tf.Tensor2D;
}

function product(a: tf.Tensor2D, b: tf.Tensor2D, transposeA: boolean, transposeB: boolean): tf.Tensor2D {
  if (tf.getBackend() === "tensorflow") return nativeMatMul(a, b, transposeA, transposeB);
  if (tf.getBackend() === "cpu") return tf.matMul(a, b, transposeA, transposeB);
  return tf.tidy(() => tf.matMul(transposeA ? tf.transpose(a) : a, transposeB ? tf.transpose(b) : b));
}

const columnSum = defineFusedKernel({
  name: "DamlabColumnSum",
  outputShapes: ([shape]) => [[shape![1]!]],
  loop: ([x], [sum], [shape]) => {
    const columns = shape![1]!;
    const total = new Float64Array(columns);
    for (let start = 0; start < x!.length; start += columns) {
      for (let column = 0; column < columns; column++) total[column]! += x![start + column]!;
    }
    sum!.set(total);
  },
  simd: (kernels, { inputs: [x], outputs: [sum], shapes: [shape] }) => kernels.columnSum(x!, sum!, shape![0]!, shape![1]!),
  compose: ([x]) => [tf.sum(x!, 0)],
});

/** x + bias for every row. */
const addBias = defineFusedKernel({
  name: "DamlabAddBias",
  outputShapes: ([shape]) => [shape!],
  loop: ([x, bias], [y]) => {
    const columns = bias!.length;
    for (let start = 0; start < x!.length; start += columns) {
      for (let column = 0; column < columns; column++) y![start + column] = x![start + column]! + bias![column]!;
    }
  },
  simd: (kernels, { inputs: [x, bias], outputs: [y], shapes: [shape] }) => kernels.addBias(x!, bias!, y!, shape![0]!, shape![1]!),
  compose: ([x, bias]) => [tf.add(x!, bias!)],
});

const linearKernel = linearLayer("DamlabLinear");
const affineKernel = linearLayer("DamlabAffine");

function linearLayer(name: string): (inputs: tf.Tensor[]) => tf.Tensor[] {
  const forward = ([x, weight, bias]: tf.Tensor[]): tf.Tensor =>
    tf.tidy(() => {
      const y = product(x as tf.Tensor2D, weight as tf.Tensor2D, false, true);
      return bias ? addBias([y, bias])[0]! : y;
    });
  for (const backendName of ["wasm", "cpu", "tensorflow"]) {
    tf.registerKernel({
      kernelName: name,
      backendName,
      kernelFunc: ({ inputs }) => forward([inputs["x"], inputs["weight"], inputs["bias"]].filter(Boolean) as tf.Tensor[]),
    });
  }
  tf.registerGradient({
    kernelName: name,
    inputsToSave: ["x", "weight"],
    gradFunc: (dy, [x, weight]) => {
      const gradient = dy as tf.Tensor2D;
      return {
        x: () => product(gradient, weight as tf.Tensor2D, false, false),
        weight: () => product(gradient, x as tf.Tensor2D, true, false),
        bias: () => columnSum([gradient])[0]!,
      };
    },
  });
  return ([x, weight, bias]) => {
    const inputs: tf.NamedTensorMap = bias ? { x: x!, weight: weight!, bias } : { x: x!, weight: weight! };
    return [tf.engine().runKernel(name, inputs) as tf.Tensor];
  };
}
