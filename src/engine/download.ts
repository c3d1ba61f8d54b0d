import * as tf from "@tensorflow/tfjs-core";
import { copyNative } from "./native/kernels";

/** Copies a float32 tensor's values into an array of its length; on engines `native` and `gpu` without an array in between. */
export function downloadInto(tensor: tf.Tensor, target: Float32Array): void {
  const native = tensor.dtype === "float32" && tensor.size > 0 && tf.getBackend() === "tensorflow";
  if (!native || !copyNative(tf.backend(), tensor, target)) target.set(tensor.dataSync() as Float32Array);
}
