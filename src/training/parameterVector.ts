/**
 * All parameters of a model as one vector in plain memory. Optimisers work on it with one loop, on every engine to the same bytes, and
 * workers share it.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { HostTensor, NamedTensors } from "../checkpoints";

/** Where one parameter lies in the vector. */
export interface ParameterSlot {
  readonly name: string;
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
}

/** The parameters of a vector, in its order, without gaps. */
export type ParameterLayout = readonly ParameterSlot[];

/** Puts named shapes one after another. */
export function layoutParameters(shapes: Iterable<readonly [string, readonly number[]]>): ParameterLayout {
  const slots: ParameterSlot[] = [];
  for (const [name, shape] of shapes) {
    const start = slots.at(-1)?.end ?? 0;
    slots.push({ name, shape, start, end: start + tf.util.sizeFromShape([...shape]) });
  }
  return slots;
}

/** Values in a vector of this layout. */
export function vectorLength(layout: ParameterLayout): number {
  return layout.at(-1)?.end ?? 0;
}

/**
 * Copies tensors into a vector.
 * @param target Where to; a new vector by default.
 * @throws {TypeError} if a parameter is missing or a shape differs.
 */
export function packParameters(
  tensors: NamedTensors,
  layout: ParameterLayout,
  target = new Float32Array(vectorLength(layout)),
): Float32Array {
  for (const { name, shape, start } of layout) {
    const tensor = tensors.get(name);
    if (!tensor) throw new TypeError(`Cannot pack parameters: "${name}" of shape [${shape}] is missing`);
    if (tensor.shape.join() !== shape.join()) {
      throw new TypeError(`Cannot pack parameter "${name}": expected shape [${shape}], got [${tensor.shape}]`);
    }
    target.set(tensor.values, start);
  }
  return target;
}

/** Views of the vector's parts, by name. */
export function unpackParameters(vector: Float32Array, layout: ParameterLayout): Map<string, HostTensor> {
  return new Map(layout.map(({ name, shape, start, end }) => [name, { shape, values: vector.subarray(start, end) }]));
}

/** The vector's parameters on the running engine; the caller disposes them. */
export function uploadVector(vector: Float32Array, layout: ParameterLayout): Map<string, tf.Tensor> {
  return new Map(layout.map(({ name, shape, start, end }) => [name, tf.tensor(vector.slice(start, end), [...shape], "float32")]));
}

/** Copies gradients of the layout's parameters into a vector; parameters without one get zeros. */
export function downloadGradients(gradients: ReadonlyMap<string, tf.Tensor>, layout: ParameterLayout): Float32Array {
  const vector = new Float32Array(vectorLength(layout));
  for (const { name, start } of layout) {
    const gradient = gradients.get(name);
    if (gradient) vector.set(gradient.dataSync(), start);
  }
  return vector;
}
