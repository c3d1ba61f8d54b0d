import * as tf from "@tensorflow/tfjs-core";
import { nativeKernels } from "./native/kernels";

/** Copies a float32 tensor's values into an array of its length; on engine `native` without an array in between. */
export function downloadInto(tensor: tf.Tensor, target: Float32Array): void {
  const native = tensor.dtype === "float32" && tensor.size > 0 && tf.getBackend() === "tensorflow" ? nativeKernels(tf.backend()) : null;
  if (native) native.copyTo(tensor, target);
  else target.set(tensor.dataSync() as Float32Array);
}
