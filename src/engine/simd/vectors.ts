/** The functions of vectors.as.ts on blocks of vectors, which are copied into their memory one after another unless they lie there. */
import { VECTOR_BLOCK, type MergeTargets, type Vectors } from "../vectorLoops";
import { instantiateSimd } from "./instantiate";
import { SIMD_VECTORS_BASE64 } from "./vectors.wasm";

interface Exports {
  widen(to: number, from: number, length: number): void;
  addThree(...call: [sum: number, fresh: boolean, a: number, b: number, c: number, x: number, y: number, z: number, length: number]): void;
  addSix(...call: [sum: number, ...vectors: Six, ...factors: Six, length: number]): void;
  addMasked(theta: number, origin: number, mask: number, sum: number, length: number): void;
  dotSix(...call: [gradient: number, mask: number, ...vectors: Six, sums: number, length: number]): void;
}

type Six = [number, number, number, number, number, number];

/** The loops of vectorLoops.ts, to the same bytes. */
export interface SimdVectors {
  mergeBlock(targets: MergeTargets, vectors: Vectors, factors: ArrayLike<number>, from: number, count: number): void;
  dotBlock(...call: [g: Float32Array, m: Float32Array | null, vectors: Vectors, sums: Float64Array, from: number, count: number]): void;
}

/** Vectors that one call of `dotSix` takes. */
const SIX = 6;
const PAGE = 65_536;
/** Pages before the vectors that lie in a memory as a whole, and all that a memory can have. */
const [SCRATCH_PAGES, MOST_PAGES] = [4, 65_536];

let common: SimdVectors | null | undefined;
const instances = new WeakMap<ArrayBufferLike, SimdVectors>();

/**
 * The functions for vectors: those of the memory in which they lie as a whole, else those that copy.
 * @returns null where the runtime lacks WebAssembly SIMD.
 */
export function simdVectors(vectors: Vectors): SimdVectors | null {
  const own = instances.get(vectors[0]!.buffer);
  if (own) return own;
  if (common === undefined) common = openMemory(SCRATCH_PAGES)?.functions ?? null;
  return common;
}

/** Whether the functions find vectors in their memory. */
export function liesInMemory(vectors: Vectors): boolean {
  return instances.has(vectors[0]!.buffer);
}

/**
 * Makes room for vectors in one memory of the functions; it is freed with the last of them.
 * @param lengths Elements of the vectors of each group.
 * @param bytes Of an element.
 * @returns The memory and where each group begins; null if they are too large for one memory, or there is none.
 */
export function reserveMemory(lengths: readonly number[], count: number, bytes: number): { buffer: ArrayBuffer; starts: number[] } | null {
  let end = SCRATCH_PAGES * PAGE;
  const starts = lengths.map((length) => {
    const start = end;
    end += count * vectorStride(length, bytes);
    return start;
  });
  const pages = Math.ceil(end / PAGE);
  const opened = pages <= MOST_PAGES ? openMemory(pages) : null;
  if (!opened) return null;
  instances.set(opened.buffer, opened.functions);
  return { buffer: opened.buffer, starts };
}

/** Bytes from one vector of a group to the next. */
export function vectorStride(length: number, bytes: number): number {
  return Math.ceil((length * bytes) / 16) * 16;
}

function openMemory(pages: number): { buffer: ArrayBuffer; functions: SimdVectors } | null {
  try {
    const memory = new WebAssembly.Memory({ initial: pages });
    const exports = instantiateSimd<Exports>(SIMD_VECTORS_BASE64, memory);
    return exports && { buffer: memory.buffer, functions: wrap(memory.buffer, exports) };
  } catch (error) {
    // Not enough memory in one piece.
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function wrap(buffer: ArrayBuffer, { widen, addThree, addSix, addMasked, dotSix }: Exports): SimdVectors {
  // Memory: six float64 sums, slots of one block each, a block of bfloat16; then what lies there as a whole.
  const sums = new Float64Array(buffer, 1024, SIX);
  const offset = (slot: number): number => 4096 + slot * 4 * VECTOR_BLOCK;
  const slots = Array.from({ length: 3 + SIX }, (_, slot) => new Float32Array(buffer, offset(slot), VECTOR_BLOCK));
  const [SUM, MASK, ORIGIN, VECTORS] = [0, 1, 2, 3];
  const halves = new Uint16Array(buffer, offset(slots.length), VECTOR_BLOCK);

  /** Where a block lies in the memory: where it is, or copied into a slot, with zeros behind up to four elements. */
  const load = (slot: number, values: Float32Array, from: number, count: number): number => {
    if (values.buffer === buffer && count % 4 === 0) return values.byteOffset + 4 * from;
    slots[slot]!.set(values.subarray(from, from + count));
    if (count % 4 !== 0) slots[slot]!.fill(0, count, count + 4 - (count % 4));
    return offset(slot);
  };
  const loadVector = (slot: number, values: Float32Array | Uint16Array, from: number, count: number): number => {
    if (!(values instanceof Uint16Array)) return load(slot, values, from, count);
    let bits = values.byteOffset + 2 * from;
    if (values.buffer !== buffer || count % 8 !== 0) {
      halves.set(values.subarray(from, from + count));
      halves.fill(0, count);
      bits = halves.byteOffset;
    }
    widen(offset(slot), bits, count);
    return offset(slot);
  };
  /** Where the blocks of so many vectors lie, the last one's where there are fewer. */
  const loadVectors = (vectors: Vectors, task: number, wanted: number, from: number, count: number): Six => {
    const six: Six = [0, 0, 0, 0, 0, 0];
    const here = Math.min(wanted, vectors.length - task);
    for (let i = 0; i < SIX; i++) six[i] = i < here ? loadVector(VECTORS + i, vectors[task + i]!, from, count) : six[i - 1]!;
    return six;
  };
  const store = (slot: number, target: Float32Array, from: number, count: number): void =>
    target.set(count < VECTOR_BLOCK ? slots[slot]!.subarray(0, count) : slots[slot]!, from);

  return {
    mergeBlock({ combined, theta, origin, mask }, vectors, factors, from, count) {
      const factor = (index: number): number => (index < vectors.length ? factors[index]! : 0);
      for (let task = 0, together = vectors.length > 3 ? SIX : 3; task < vectors.length; task += together, together = 3) {
        const at = loadVectors(vectors, task, together, from, count);
        const by = [0, 1, 2, 3, 4, 5].map((i) => factor(task + i)) as Six;
        if (together === SIX) addSix(offset(SUM), ...at, ...by, count);
        else addThree(offset(SUM), task === 0, at[0], at[1], at[2], by[0], by[1], by[2], count);
      }
      if (combined) store(SUM, combined, from, count);
      if (!theta) return;
      const base = load(ORIGIN, origin!, from, count);
      addMasked(offset(ORIGIN), base, mask ? load(MASK, mask, from, count) : 0, offset(SUM), count);
      store(ORIGIN, theta, from, count);
    },
    dotBlock(gradient, mask, vectors, totals, from, count) {
      const slopes = load(SUM, gradient, from, count);
      const factors = mask ? load(MASK, mask, from, count) : 0;
      for (let task = 0; task < vectors.length; task += SIX) {
        const here = Math.min(SIX, vectors.length - task);
        const six = loadVectors(vectors, task, SIX, from, count);
        sums.fill(0);
        dotSix(slopes, factors, ...six, sums.byteOffset, count);
        for (let i = 0; i < here; i++) totals[task + i]! += sums[i]!;
      }
    },
  };
}
