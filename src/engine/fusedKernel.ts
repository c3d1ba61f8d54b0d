/**
 * Kernels of our own, registered with TensorFlow.js beside its built-in ones.
 *
 * On the single-threaded engines a fused kernel is one loop that replaces a dozen small operations, each with a pass over memory: on `wasm`
 * a SIMD function on the backend's own heap, so nothing is copied, else a loop over typed arrays. On TensorFlow on a CPU the same functions
 * are compiled with the binding; on its GPU, and where there is no such function, the kernel is composed of built-in operations.
 */
import * as tf from "@tensorflow/tfjs-core";
import { nativeKernels } from "./native/kernels";
import { simdKernels, type SimdKernels } from "./simd/instance";

/** Plain numbers and flags of one call. */
export type KernelAttributes = Readonly<Record<string, number>>;

/** One operation of ours; all inputs and outputs are float32. */
export interface FusedKernel {
  /** Unique; shows up in TensorFlow.js profiles. */
  readonly name: string;
  /** Shapes of the outputs. */
  outputShapes(inputShapes: readonly number[][], attributes: KernelAttributes): number[][];
  /** Fills `outputs`; `shapes` are those of the inputs. */
  loop(inputs: Float32Array[], outputs: Float32Array[], shapes: readonly number[][], attributes: KernelAttributes): void;
  /** The same with SIMD, on the heap of engine `wasm` or on tensors of engine `native`; absent where the other forms are fast enough. */
  simd?(kernels: SimdKernels, call: SimdCall): void;
  /** The same from built-in operations. */
  compose(inputs: tf.Tensor[], attributes: KernelAttributes): tf.Tensor[];
  /** Gradient with respect to each input, given those of the outputs; absent where none is ever taken. */
  readonly gradient?: FusedGradient;
}

/** One call of a SIMD kernel; offsets are bytes in the heap, or addresses. */
export interface SimdCall {
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Of the inputs. */
  readonly shapes: readonly number[][];
  readonly attributes: KernelAttributes;
  /** Memory for that many values until the call ends; engine `native` gives none, its functions have their own. */
  scratch(length: number): number;
}

/** How a fused kernel is differentiated. */
export interface FusedGradient {
  /** Which outputs the backward pass reads, by position; all inputs are always there. */
  readonly savedOutputs?: readonly number[];
  /** One function an input, called only when that gradient is wanted. */
  backward(outputGradients: tf.Tensor[], inputs: tf.Tensor[], savedOutputs: tf.Tensor[], attributes: KernelAttributes): (() => tf.Tensor)[];
}

let plainLoops = false;

/**
 * Does some work with the kernels of engine `wasm` as plain loops, whose sums are float64, if asked to: a few times slower, and for comparisons
 * to more digits than the float32 sums of SIMD give. The other engines have such sums in any case.
 * @param work Synchronous.
 */
export function withPlainLoops<Result>(asked: boolean, work: () => Result): Result {
  const before = plainLoops;
  plainLoops = asked;
  try {
    return work();
  } finally {
    plainLoops = before;
  }
}

interface WasmBackend {
  makeOutput(shape: number[], dtype: "float32"): tf.TensorInfo;
  typedArrayFromHeap(info: tf.TensorInfo): Float32Array;
  dataIdMap: { get(dataId: object): { memoryOffset: number } };
  disposeData(dataId: object): void;
}
interface CpuBackend {
  readSync(dataId: object): Float32Array;
  makeTensorInfo(shape: number[], dtype: "float32", values: Float32Array): tf.TensorInfo;
}

/**
 * Registers a kernel and returns the function that runs it.
 * @returns A function of (inputs, attributes) giving the outputs, owned by the caller (or by the surrounding `tf.tidy`).
 */
export function defineFusedKernel(kernel: FusedKernel): (inputs: tf.Tensor[], attributes?: KernelAttributes) => tf.Tensor[] {
  tf.registerKernel({ kernelName: kernel.name, backendName: "wasm", kernelFunc: (call) => runOnWasm(kernel, call) });
  tf.registerKernel({ kernelName: kernel.name, backendName: "cpu", kernelFunc: (call) => runOnCpu(kernel, call) });
  tf.registerKernel({ kernelName: kernel.name, backendName: "tensorflow", kernelFunc: (call) => runOnTensorflow(kernel, call) });
  if (kernel.gradient) registerGradient(kernel, kernel.gradient);
  return (inputs, attributes = {}) => {
    const outputs = tf.engine().runKernel(kernel.name, inputs as unknown as tf.NamedTensorMap, attributes as unknown as tf.NamedAttrMap);
    return (Array.isArray(outputs) ? outputs : [outputs]) as tf.Tensor[];
  };
}

interface KernelCall {
  inputs: tf.NamedTensorInfoMap;
  backend: unknown;
  attrs?: tf.NamedAttrMap | undefined;
}

function runOnWasm(kernel: FusedKernel, call: KernelCall): tf.TensorInfo[] {
  const backend = call.backend as WasmBackend;
  const { inputs, shapes, attributes } = unpack(call);
  const outputs = kernel.outputShapes(shapes, attributes).map((shape) => backend.makeOutput(shape, "float32"));
  const simd = kernel.simd && !plainLoops && !inputs.some((input) => isEmpty(input.shape)) ? simdKernels(backend) : null;
  if (simd) {
    runSimd(kernel, simd, backend, { inputs, outputs, shapes, attributes });
    return outputs;
  }
  // Views are taken after every allocation, because growing the heap detaches them.
  const view = (info: tf.TensorInfo): Float32Array => (isEmpty(info.shape) ? new Float32Array(0) : backend.typedArrayFromHeap(info));
  kernel.loop(inputs.map(view), outputs.map(view), shapes, attributes);
  return outputs;
}

function runSimd(
  kernel: FusedKernel,
  simd: SimdKernels,
  backend: WasmBackend,
  call: { inputs: tf.TensorInfo[]; outputs: tf.TensorInfo[]; shapes: number[][]; attributes: KernelAttributes },
): void {
  const offset = (info: tf.TensorInfo): number => backend.dataIdMap.get(info.dataId).memoryOffset;
  const borrowed: tf.TensorInfo[] = [];
  const scratch = (length: number): number => {
    borrowed.push(backend.makeOutput([length], "float32"));
    return offset(borrowed.at(-1)!);
  };
  kernel.simd!(simd, { ...call, inputs: call.inputs.map(offset), outputs: call.outputs.map(offset), scratch });
  for (const info of borrowed) backend.disposeData(info.dataId);
}

function runOnCpu(kernel: FusedKernel, call: KernelCall): tf.TensorInfo[] {
  const backend = call.backend as CpuBackend;
  const { inputs, shapes, attributes } = unpack(call);
  const outputShapes = kernel.outputShapes(shapes, attributes);
  const outputs = outputShapes.map((shape) => new Float32Array(tf.util.sizeFromShape(shape)));
  const values = inputs.map((input) => backend.readSync(input.dataId));
  kernel.loop(values, outputs, shapes, attributes);
  return outputShapes.map((shape, index) => backend.makeTensorInfo(shape, "float32", outputs[index]!));
}

function runOnTensorflow(kernel: FusedKernel, call: KernelCall): tf.TensorInfo[] {
  const { inputs, shapes, attributes } = unpack(call);
  const native = kernel.simd && !inputs.some((input) => isEmpty(input.shape)) ? nativeKernels(call.backend as object) : null;
  if (native) {
    const outputs = kernel.outputShapes(shapes, attributes).map(native.allocate);
    const addresses = { inputs: native.addresses(inputs), outputs: outputs.map(([, address]) => address) };
    kernel.simd!(native.kernels, { ...addresses, shapes, attributes, scratch: () => 0 });
    return outputs.map(([output]) => output);
  }
  return tf.tidy(() => kernel.compose(inputs as tf.Tensor[], attributes));
}

function registerGradient(kernel: FusedKernel, gradient: FusedGradient): void {
  const saved = gradient.savedOutputs ?? [];
  tf.registerGradient({
    kernelName: kernel.name,
    saveAllInputs: true, // inputs are passed as an array, so their names are their positions
    outputsToSave: Array.from({ length: Math.max(-1, ...saved) + 1 }, (_, index) => saved.includes(index)),
    gradFunc: (dy, tensors, attrs) => {
      const inputCount = tensors.length - saved.length;
      const outputGradients = Array.isArray(dy) ? dy : [dy];
      const attributes = attrs as unknown as KernelAttributes;
      const functions = gradient.backward(outputGradients, tensors.slice(0, inputCount), tensors.slice(inputCount), attributes);
      return Object.fromEntries(functions.entries());
    },
  });
}

function unpack(call: KernelCall): { inputs: tf.TensorInfo[]; shapes: number[][]; attributes: KernelAttributes } {
  const inputs = Object.values(call.inputs) as tf.TensorInfo[];
  return { inputs, shapes: inputs.map((input) => input.shape), attributes: (call.attrs ?? {}) as unknown as KernelAttributes };
}

function isEmpty(shape: number[]): boolean {
  return shape.includes(0);
}
