/** The functions of merges.as.ts on slices of models in a memory of their own, one a thread. */
import { instantiateSimd } from "./instantiate";
import { SIMD_MERGES_BASE64 } from "./merges.wasm";

interface Exports {
  average(out: number, models: number, stride: number, count: number, length: number): void;
  addTaskVectors(
    ...call: [out: number, origin: number, models: number, stride: number, count: number, scaling: number, length: number]
  ): void;
  countMagnitudes(
    ...call: [values: number, origin: number, length: number, low: number, width: number, shift: number, buckets: number]
  ): number;
  mergeTrimmed(
    ...call: [
      ...[out: number, origin: number, models: number, stride: number, count: number, cuts: number],
      ...[scaling: number, zeroPositive: boolean, mean: boolean, length: number],
    ]
  ): void;
  takeBalance(): number;
  takeCancelled(): number;
}

/** Bit patterns of magnitudes: `count` buckets from `low` on, of 2^shift patterns each. */
export interface MagnitudeWindow {
  readonly low: number;
  readonly shift: number;
  readonly count: number;
}

/** What is kept of one task vector: magnitudes above the threshold, and the next `equal` ones that lie on it. */
export interface Cut {
  magnitude: number;
  equal: number;
}

/** Most buckets of a window. */
export const MOST_BUCKETS = 2 ** 20;

const PAGE = 65536;
const ALL_EQUAL = 2 ** 32 - 1;

/** Slots for one slice of θ₀, of each model, and of the result, with the arithmetic on them. */
export class SliceMerges {
  private readonly memory = new WebAssembly.Memory({ initial: 1 });
  private readonly code: Exports;
  private readonly stride: number;
  private readonly slots: number;
  private bucketsAt = 0;

  /**
   * @param models How many are merged.
   * @param elements Most elements of a slice; a multiple of eight.
   */
  constructor(
    readonly models: number,
    readonly elements: number,
  ) {
    const code = instantiateSimd<Exports>(SIMD_MERGES_BASE64, this.memory);
    if (code === null) throw new Error("Cannot merge files: expected a runtime with WebAssembly SIMD, as Node is on all its platforms");
    this.code = code;
    // Not a multiple of a power of two, so that the slots' beginnings don't fall on the same lines of the cache.
    this.stride = 4 * elements + 1088;
    this.slots = this.align(1024 + 8 * models);
    this.bucketsAt = this.align(this.slots + (models + 2) * this.stride);
    this.reserve(this.bucketsAt);
  }

  /** The memory of θ₀ (0), of a model (from 1 on), or of the result (the last). Hold it no longer than until the next call. */
  slot(index: number, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, this.slots + index * this.stride, length);
  }

  /** The result's slot. */
  result(length: number): Float32Array {
    return this.slot(this.models + 1, length);
  }

  average(length: number): void {
    this.pad(length);
    this.code.average(this.at(this.models + 1), this.at(1), this.stride, this.models, length);
  }

  addTaskVectors(scaling: number, length: number): void {
    this.pad(length);
    this.code.addTaskVectors(this.at(this.models + 1), this.at(0), this.at(1), this.stride, this.models, scaling, length);
  }

  /** Clears the buckets of every model's window. */
  beginCount(windows: readonly MagnitudeWindow[]): void {
    this.reserve(this.bucketsAt + 4 * this.models * MOST_BUCKETS);
    for (const [model, { count }] of windows.entries()) this.buckets(model, count).fill(0);
  }

  /** Counts a model's magnitudes in its window. @returns How many lie below it; null if one is NaN or infinite. */
  count(model: number, { low, shift, count }: MagnitudeWindow, length: number): number | null {
    const buckets = this.bucketsAt + 4 * model * MOST_BUCKETS;
    const below = this.code.countMagnitudes(this.at(1 + model), this.at(0), length, low, count * 2 ** shift, shift, buckets) >>> 0;
    return below === ALL_EQUAL ? null : below;
  }

  /** The counts of a model's window. */
  buckets(model: number, count: number): Uint32Array {
    return new Uint32Array(this.memory.buffer, this.bucketsAt + 4 * model * MOST_BUCKETS, count);
  }

  /** Sets what `mergeTrimmed()` keeps of each model; entries on the thresholds are counted down from slice to slice. */
  setCuts(cuts: readonly Cut[]): void {
    for (const [model, { magnitude, equal }] of cuts.entries()) {
      new Float32Array(this.memory.buffer, 1024 + 8 * model, 1)[0] = magnitude;
      new Uint32Array(this.memory.buffer, 1028 + 8 * model, 1)[0] = Math.min(equal, ALL_EQUAL);
    }
  }

  /** @returns How many sums were positive more than negative, and how many entries cancelled out exactly. */
  mergeTrimmed(scaling: number, zeroPositive: boolean, mean: boolean, length: number): { balance: number; cancelled: number } {
    this.pad(length);
    const [out, origin, models] = [this.at(this.models + 1), this.at(0), this.at(1)];
    this.code.mergeTrimmed(out, origin, models, this.stride, this.models, 1024, scaling, zeroPositive, mean, length);
    return { balance: this.code.takeBalance(), cancelled: this.code.takeCancelled() };
  }

  private at(slot: number): number {
    return this.slots + slot * this.stride;
  }

  /** Zeros up to where the compiled functions round lengths up. */
  private pad(length: number): void {
    const rest = (8 - (length % 8)) % 8;
    if (rest > 0)
      for (let slot = 0; slot <= this.models; slot++) new Float32Array(this.memory.buffer, this.at(slot) + 4 * length, rest).fill(0);
  }

  private align(bytes: number): number {
    return Math.ceil(bytes / 64) * 64;
  }

  private reserve(bytes: number): void {
    const missing = Math.ceil((bytes - this.memory.buffer.byteLength) / PAGE);
    if (missing > 0) this.memory.grow(missing);
  }
}
