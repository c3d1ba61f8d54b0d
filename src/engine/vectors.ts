/**
 * @file Arithmetic over task vectors in plain memory, block by block: everything is read once, and what belongs together is in the processor's
 * cache at the same time. Engine `native` has compiled functions for it, on several threads; engine `wasm` has SIMD, and `cpu` plain loops, which
 * give the same bytes.
 */
import { isSingleThreaded, runningEngine } from "./backend";
import { compiledVectors, type NativeVectors } from "./native/vectors";
import { liesInMemory, reserveMemory, simdVectors, vectorStride } from "./simd/vectors";
import * as loops from "./vectorLoops";
import { areHalves, VECTOR_BLOCK, type MergeTargets, type Vectors } from "./vectorLoops";

export { widenBfloat16, type MergeTargets, type Vectors } from "./vectorLoops";
export type { NativeVectors } from "./native/vectors";

/** The compiled functions if TensorFlow is the running engine and they came with it, else null. */
export function nativeVectors(): NativeVectors | null {
  const engine = runningEngine();
  return engine && !isSingleThreaded(engine.name) ? compiledVectors() : null;
}

/**
 * U = Σ_t factor_t · vector_t, and θ = origin + mask ⊙ U.
 * @param targets Arrays of one length; `combined` receives U and `theta` θ, either may be null; without a mask it is one of ones.
 * @param vectors At least one, as long; float32, or the bits of bfloat16, which gives the same as those widened beforehand.
 * @param factors One a vector.
 */
export function mergeVectors(targets: MergeTargets, vectors: Vectors, factors: ArrayLike<number>): void {
  const native = nativeVectors();
  if (native) {
    native.mergeVectors(targets.combined, targets.theta, targets.origin, targets.mask, vectors, Float64Array.from(factors));
    return;
  }
  const { mergeBlock } = blockwise(vectors);
  eachBlock(vectors[0]!.length, (from, count) => mergeBlock(targets, vectors, factors, from, count));
}

/**
 * Adds ⟨gradient, mask ⊙ vector_t⟩ of each vector to `sums`.
 * @param vectors At least one, as long as the gradient; as `mergeVectors` takes them.
 */
export function dotVectors(gradient: Float32Array, mask: Float32Array | null, vectors: Vectors, sums: Float64Array): void {
  const native = nativeVectors();
  if (native) {
    native.dotVectors(gradient, mask, vectors, sums);
    return;
  }
  const { dotBlock } = blockwise(vectors);
  eachBlock(gradient.length, (from, count) => dotBlock(gradient, mask, vectors, sums, from, count));
}

/** target += factor · values, in place; factor 0 changes nothing, not even the sign of a zero. */
export function addVector(target: Float32Array, factor: number, values: Float32Array): void {
  if (factor === 0) return;
  const native = nativeVectors();
  if (native) native.addVector(target, factor, values);
  else for (let i = 0; i < target.length; i++) target[i] = target[i]! + factor * values[i]!;
}

/**
 * New vectors of zeros, `count` of each length, where the running engine computes with them fastest: engine `wasm` copies others block by block
 * into its memory.
 */
export function allocateVectors(lengths: readonly number[], count: number, dtype: "float32" | "bfloat16"): Vectors[] {
  const Values = dtype === "bfloat16" ? Uint16Array : Float32Array;
  const each = { length: count };
  const room = runningEngine()?.name === "wasm" ? reserveMemory(lengths, count, Values.BYTES_PER_ELEMENT) : null;
  return lengths.map((length, group) =>
    Array.from(each, (_, index) =>
      room
        ? new Values(room.buffer, room.starts[group]! + index * vectorStride(length, Values.BYTES_PER_ELEMENT), length)
        : new Values(length),
    ),
  ) as Vectors[];
}

/** Groups of vectors where the running engine computes with them fastest: themselves, or copies. */
export function placeVectors(groups: readonly Vectors[]): readonly Vectors[] {
  if (runningEngine()?.name !== "wasm" || groups.every(liesInMemory)) return groups;
  const lengths = groups.map((vectors) => vectors[0]!.length);
  const placed = allocateVectors(lengths, groups[0]!.length, areHalves(groups[0]!) ? "bfloat16" : "float32");
  if (!placed.every(liesInMemory)) return groups;
  for (const [group, vectors] of groups.entries()) for (const [index, values] of vectors.entries()) placed[group]![index]!.set(values);
  return placed;
}

function blockwise(vectors: Vectors): Pick<typeof loops, "mergeBlock" | "dotBlock"> {
  return (runningEngine()?.name === "cpu" ? null : simdVectors(vectors)) ?? loops;
}

function eachBlock(length: number, work: (from: number, count: number) => void): void {
  for (let from = 0; from < length; from += VECTOR_BLOCK) work(from, Math.min(VECTOR_BLOCK, length - from));
}
