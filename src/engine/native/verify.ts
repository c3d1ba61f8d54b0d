import * as tf from "@tensorflow/tfjs-core";
import { loadNative } from "./load";

/** What an installation did when it was tried. */
export interface NativeTrial {
  readonly tensorflow: string;
  /** Whether it computed on a GPU. */
  readonly gpu: boolean;
  readonly gflops: number;
}

/**
 * Loads an installation into this process, which should be a fresh one, and lets it compute a product, a convolution and a gradient.
 * @throws {Error} if it does not load or computes something else.
 */
export async function verifyNative({ folder, gpu }: { folder: string; gpu: boolean }): Promise<NativeTrial> {
  const binding = loadNative({ folder }, gpu);
  tf.env().set("PROD", true);
  await tf.setBackend("tensorflow");
  const found = tf.tidy(() => {
    const [a, b] = [tf.tensor2d([[1, 2]]), tf.tensor2d([[3], [4]])];
    // 1 * 3 + 2 * 4 = 11; d(sum(x^3))/dx at 2 = 12; a kernel of ones over ones sums 4 values
    const slope = tf.grad((x) => tf.sum(tf.pow(x, 3)))(tf.tensor1d([2]));
    const convolved = tf.conv2d(tf.ones([1, 2, 2, 1]) as tf.Tensor4D, tf.ones([2, 2, 1, 1]) as tf.Tensor4D, 1, "valid");
    return [tf.matMul(a, b), slope, convolved].map((tensor) => tensor.dataSync()[0]!);
  });
  const expected = [11, 12, 4];
  if (found.some((value, index) => Math.abs(value - expected[index]!) > 1e-4)) {
    throw new Error(`Cannot trust this TensorFlow: expected ${expected.join(", ")}, got ${found.join(", ")}`);
  }
  return { tensorflow: binding.TF_Version, gpu: binding.isUsingGpuDevice(), gflops: measureGflops(1024) };
}

/**
 * Billions of operations a second in products of square float32 matrices on the running engine, a multiplication and an addition counted as two.
 * @param size Rows; 1024 takes 2.1 billion operations.
 * @returns The best of a few runs, with three digits.
 */
export function measureGflops(size: number, runs = 5): number {
  const [a, b] = [tf.ones([size, size]) as tf.Tensor2D, tf.ones([size, size]) as tf.Tensor2D];
  let best = Infinity;
  for (let run = 0; run <= runs; run++) {
    const start = process.hrtime.bigint();
    tf.tidy(() => tf.sum(tf.matMul(a, b)).dataSync());
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;
    if (run > 0) best = Math.min(best, seconds);
  }
  tf.dispose([a, b]);
  return Number(((2 * size ** 3) / best / 1e9).toPrecision(3));
}
