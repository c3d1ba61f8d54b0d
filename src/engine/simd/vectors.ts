/** The functions of vectors.as.ts on blocks of vectors, which are copied into their memory one after another. */
import { VECTOR_BLOCK, type MergeTargets, type Vectors } from "../vectorLoops";
import { SIMD_VECTORS_BASE64 } from "./vectors.wasm";

interface Exports {
  readonly memory: WebAssembly.Memory;
  widen(to: number, from: number, length: number): void;
  addThree(...call: [sum: number, fresh: boolean, a: number, b: number, c: number, x: number, y: number, z: number, length: number]): void;
  addMasked(theta: number, origin: number, mask: number, sum: number, length: number): void;
  dotSix(gradient: number, mask: number, vectors: number, stride: number, sums: number, length: number): void;
}

/** The loops of vectorLoops.ts, to the same bytes. */
export interface SimdVectors {
  mergeBlock(targets: MergeTargets, vectors: Vectors, factors: ArrayLike<number>, from: number, count: number): void;
  dotBlock(...call: [g: Float32Array, m: Float32Array | null, vectors: Vectors, sums: Float64Array, from: number, count: number]): void;
}

/** Vectors that one call of `dotSix` takes. */
const SIX = 6;

let loaded: SimdVectors | null | undefined;

/** @returns null where the runtime lacks WebAssembly SIMD. */
export function simdVectors(): SimdVectors | null {
  if (loaded === undefined) {
    const bytes = Buffer.from(SIMD_VECTORS_BASE64, "base64");
    loaded = WebAssembly.validate(bytes)
      ? wrap(new WebAssembly.Instance(new WebAssembly.Module(bytes), {}).exports as unknown as Exports)
      : null;
  }
  return loaded;
}

function wrap({ memory, widen, addThree, addMasked, dotSix }: Exports): SimdVectors {
  // Memory: six float64 sums, slots of one block each, and a block of bfloat16.
  const stride = 4 * VECTOR_BLOCK;
  const sums = new Float64Array(memory.buffer, 1024, SIX);
  const offset = (slot: number): number => 4096 + slot * stride;
  const slots = Array.from({ length: 3 + SIX }, (_, slot) => new Float32Array(memory.buffer, offset(slot), VECTOR_BLOCK));
  const [SUM, MASK, ORIGIN, VECTORS] = [0, 1, 2, 3];
  const halves = new Uint16Array(memory.buffer, offset(slots.length), VECTOR_BLOCK);
  const load = (slot: number, values: Float32Array | Uint16Array, from: number, count: number): number => {
    if (values instanceof Uint16Array) {
      halves.set(values.subarray(from, from + count));
      if (count < VECTOR_BLOCK) halves.fill(0, count);
      widen(offset(slot), halves.byteOffset, count);
      return offset(slot);
    }
    slots[slot]!.set(values.subarray(from, from + count));
    if (count % 4 !== 0) slots[slot]!.fill(0, count, count + 4 - (count % 4));
    return offset(slot);
  };
  const store = (slot: number, target: Float32Array, from: number, count: number): void =>
    target.set(slots[slot]!.subarray(0, count), from);

  return {
    mergeBlock({ combined, theta, origin, mask }, vectors, factors, from, count) {
      const factor = (index: number): number => (index < vectors.length ? factors[index]! : 0);
      for (let task = 0; task < vectors.length; task += 3) {
        const last = Math.min(3, vectors.length - task) - 1;
        for (let i = 0; i <= last; i++) load(VECTORS + i, vectors[task + i]!, from, count);
        const at = (i: number): number => offset(VECTORS + Math.min(i, last));
        addThree(offset(SUM), task === 0, at(0), at(1), at(2), factor(task), factor(task + 1), factor(task + 2), count);
      }
      if (combined) store(SUM, combined, from, count);
      if (!theta) return;
      load(ORIGIN, origin!, from, count);
      if (mask) load(MASK, mask, from, count);
      addMasked(offset(ORIGIN), offset(ORIGIN), mask ? offset(MASK) : 0, offset(SUM), count);
      store(ORIGIN, theta, from, count);
    },
    dotBlock(gradient, mask, vectors, totals, from, count) {
      load(SUM, gradient, from, count);
      if (mask) load(MASK, mask, from, count);
      for (let task = 0; task < vectors.length; task += SIX) {
        const here = Math.min(SIX, vectors.length - task);
        for (let i = 0; i < here; i++) load(VECTORS + i, vectors[task + i]!, from, count);
        sums.fill(0);
        dotSix(offset(SUM), mask ? offset(MASK) : 0, offset(VECTORS), stride, sums.byteOffset, count);
        for (let i = 0; i < here; i++) totals[task + i]! += sums[i]!;
      }
    },
  };
}
