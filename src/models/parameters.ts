import * as tf from "@tensorflow/tfjs-core";
import type { HostTensor, NamedTensors } from "../checkpoints";

/** Tensors on the running engine, named and ordered as the given ones; the caller disposes them. */
export function uploadParameters(tensors: NamedTensors): Map<string, tf.Tensor> {
  return new Map([...tensors].map(([name, { shape, values }]) => [name, tf.tensor(values, [...shape], "float32")]));
}

/** Copies of engine tensors in plain memory. */
export function downloadParameters(parameters: ReadonlyMap<string, tf.Tensor>): Map<string, HostTensor> {
  return new Map([...parameters].map(([name, tensor]) => [name, { shape: tensor.shape, values: Float32Array.from(tensor.dataSync()) }]));
}

/** Disposes every tensor of a map. */
export function disposeParameters(parameters: ReadonlyMap<string, tf.Tensor>): void {
  tf.dispose([...parameters.values()]);
}
