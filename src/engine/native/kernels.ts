/** The fused kernels that are compiled with the binding: `kernel-setup/native/kernels.h`. */
import type * as tf from "@tensorflow/tfjs-core";
import type { SimdKernels } from "../simd/instance";

/** The kernels on tensors of the native engine; offsets are addresses. */
export interface NativeKernels {
  readonly kernels: SimdKernels;
  /** Where the values of float32 tensors lie, while the tensors live. */
  addresses(inputs: readonly tf.TensorInfo[]): number[];
  /** A new tensor with arbitrary values, and where they lie. */
  allocate(shape: readonly number[]): [output: tf.TensorInfo, address: number];
}

interface CompiledKernels extends SimdKernels {
  addressOf(id: number): number;
  copyTo(id: number, target: Float32Array): void;
  allocate(shape: readonly number[]): [info: object, address: number];
}

interface NativeBackend {
  readonly binding?: { readonly damlab?: CompiledKernels };
  readonly isUsingGpuDevice: boolean;
  getInputTensorIds(inputs: readonly tf.TensorInfo[]): number[];
  createOutputTensor(info: object): tf.TensorInfo;
}

const wrapped = new WeakMap<object, NativeKernels | null>();

/**
 * The compiled kernels of TensorFlow's backend.
 * @returns null where tensors lie on a GPU, or where the binding has none: a published one.
 */
export function nativeKernels(backend: object): NativeKernels | null {
  let found = wrapped.get(backend);
  if (found === undefined) {
    found = wrap(backend as NativeBackend);
    wrapped.set(backend, found);
  }
  return found;
}

/**
 * Copies the values of a float32 tensor, from the GPU too, into an array of its length.
 * @returns Whether it did; false where the binding can't: a published one.
 */
export function copyNative(backend: object, input: tf.TensorInfo, target: Float32Array): boolean {
  const native = backend as NativeBackend;
  const kernels = native.binding?.damlab;
  kernels?.copyTo(native.getInputTensorIds([input])[0]!, target);
  return kernels !== undefined;
}

function wrap(backend: NativeBackend): NativeKernels | null {
  const kernels = backend.binding?.damlab;
  if (!kernels || backend.isUsingGpuDevice) return null;
  return {
    kernels,
    addresses: (inputs) => backend.getInputTensorIds(inputs).map((id) => kernels.addressOf(id)),
    allocate: (shape) => {
      const [info, address] = kernels.allocate(shape);
      return [backend.createOutputTensor(info), address];
    },
  };
}
