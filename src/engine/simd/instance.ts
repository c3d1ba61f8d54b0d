import { instantiateSimd } from "./instantiate";
import { SIMD_KERNELS_BASE64 } from "./kernels.wasm";

type Offset = number;

/** The compiled functions of kernels.as.ts; offsets are bytes in the backend's memory. */
export interface SimdKernels {
  quickGelu(x: Offset, y: Offset, length: number): void;
  quickGeluGradient(dy: Offset, x: Offset, dx: Offset, length: number): void;
  addBias(x: Offset, bias: Offset, y: Offset, rows: number, columns: number): void;
  columnSum(x: Offset, sum: Offset, rows: number, columns: number): void;
  layerNorm(x: Offset, weight: Offset, bias: Offset, y: Offset, moments: Offset, rows: number, size: number, epsilon: number): void;
  layerNormGradient(
    ...offsetsThenShape: [
      dy: Offset,
      x: Offset,
      weight: Offset,
      moments: Offset,
      dx: Offset,
      dWeight: Offset,
      dBias: Offset,
      rows: number,
      size: number,
    ]
  ): void;
  attention(
    ...offsetsThenShape: [
      ...[q: Offset, k: Offset, v: Offset, context: Offset, probabilities: Offset, scratch: Offset],
      ...[batch: number, tokens: number, heads: number, size: number],
    ]
  ): void;
  attentionGradient(
    ...offsetsThenShape: [
      ...[dContext: Offset, q: Offset, k: Offset, v: Offset, probabilities: Offset],
      ...[dq: Offset, dk: Offset, dv: Offset, scratch: Offset],
      ...[batch: number, tokens: number, heads: number, size: number],
    ]
  ): void;
}

const instances = new WeakMap<WebAssembly.Memory, SimdKernels | null>();

/**
 * The kernels on the memory of TensorFlow.js' WebAssembly backend.
 * @returns null where the runtime lacks WebAssembly SIMD or the backend does not show its memory; loops in JavaScript serve then.
 */
export function simdKernels(backend: object): SimdKernels | null {
  const memory = (backend as { wasm?: { asm?: { memory?: unknown } } }).wasm?.asm?.memory;
  if (!(memory instanceof WebAssembly.Memory)) return null;
  let kernels = instances.get(memory);
  if (kernels === undefined) {
    kernels = instantiateSimd<SimdKernels>(SIMD_KERNELS_BASE64, memory);
    instances.set(memory, kernels);
  }
  return kernels;
}
