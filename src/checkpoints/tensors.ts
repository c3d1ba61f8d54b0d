/** A float32 tensor in plain memory, row-major: what passes between files, engines and workers. */
export interface HostTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Tensors by parameter name; insertion order is parameter order. */
export type NamedTensors = ReadonlyMap<string, HostTensor>;
