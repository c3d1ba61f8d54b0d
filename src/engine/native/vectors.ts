/** Arithmetic over whole models that is compiled with the binding: `kernel-setup/native/vectors.h`. */
import type { Vectors } from "../vectorLoops";
import { loadedBinding } from "./load";

/** Functions on plain memory, on several threads; lengths are the caller's to check. */
export interface NativeVectors {
  mergeVectors(
    ...call: [
      combined: Float32Array | null,
      theta: Float32Array | null,
      origin: Float32Array | null,
      mask: Float32Array | null,
      vectors: Vectors,
      factors: Float64Array,
    ]
  ): void;
  /** sums[t] += ⟨gradient, mask ⊙ vector_t⟩. */
  dotVectors(gradient: Float32Array, mask: Float32Array | null, vectors: Vectors, sums: Float64Array): void;
  addMasked(theta: Float32Array, origin: Float32Array, mask: Float32Array | null, combined: Float32Array): void;
  /** gates ← sigmoid(slope · (noise + logits)); gives their sum. */
  openGates(gates: Float32Array, logits: Float32Array, noise: Float32Array | null, slope: number): number;
  /** Sum of sigmoid(logits). */
  sumProbabilities(logits: Float32Array): number;
  sumVector(values: Float32Array): number;
  dotVector(a: Float32Array, b: Float32Array): number;
  /** target ← (fresh ? 1 : target) · values / divisor. */
  scaleVector(target: Float32Array, values: Float32Array, divisor: number, fresh: number): void;
  multiplyVectors(target: Float32Array, a: Float32Array, b: Float32Array): void;
  /** slopes ← (slopes / mean − shared) · gates · (1 − gates) / temperature. */
  slopeVector(slopes: Float32Array, gates: Float32Array, mean: number, shared: number, temperature: number): void;
  addVector(target: Float32Array, factor: number, values: Float32Array): void;
  stepAdam(
    ...call: [parameters: Float32Array, gradient: Float32Array, first: Float32Array, second: Float32Array, settings: Float64Array]
  ): void;
}

/** The functions of the binding in this process; null where none is loaded, or a published one. */
export function compiledVectors(): NativeVectors | null {
  return (loadedBinding() as { damlab?: { vectors?: NativeVectors } } | undefined)?.damlab?.vectors ?? null;
}
