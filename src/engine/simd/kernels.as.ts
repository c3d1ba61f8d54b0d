/**
 * The fused kernels for WebAssembly SIMD, in AssemblyScript. They run on the memory of TensorFlow.js' own WebAssembly backend, which is
 * imported, so tensors are passed as byte offsets and nothing is copied. No function allocates or keeps static data.
 * `npm run simd` compiles this file with what it imports into `kernels.wasm.ts`.
 */

// @ts-nocheck: checked by the AssemblyScript compiler

export * from "./rows.as";
export * from "./attention.as";
