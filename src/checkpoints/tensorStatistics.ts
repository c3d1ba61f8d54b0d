import { createHash } from "node:crypto";
import { dtypeBytes, DTYPES, type Dtype } from "./dtypes";
import { type TensorSource, type TensorValues, valuesOfBytes } from "./tensorSource";

/** What `damlab inspect` tells of a tensor's values. */
export interface TensorStatistics {
  /** SHA-256 of the raw bytes, in hexadecimal. */
  readonly sha256: string;
  /** Smallest, largest and mean finite value; null if there is none. Of 64-bit integers: exact decimal strings. */
  readonly min: number | string | null;
  readonly max: number | string | null;
  readonly mean: number | string | null;
  /** How many values are NaN, and how many are infinite. */
  readonly nan: number;
  readonly inf: number;
}

/** What the passes over the chunks gather. */
interface Tally {
  add(values: TensorValues): void;
  result(): Omit<TensorStatistics, "sha256">;
}

/** Bytes that are read at a time: a multiple of every element's size. */
const CHUNK_BYTES = 1 << 22;
/** Doubles up to 2^1023 are added after scaling by this, so that a sum of 2^53 of them stays finite. */
const SCALE = 2 ** -64;

/** Hash and statistics of one tensor, streamed: no more than a chunk of it is in memory. */
export async function tensorStatistics(source: TensorSource, name: string): Promise<TensorStatistics> {
  const { dtype, bytes } = source.entry(name);
  const hash = createHash("sha256");
  const tally = DTYPES[dtype].kind === "bigint" ? new BigintTally() : new NumberTally();
  const chunk = new Uint8Array(Math.min(bytes, CHUNK_BYTES));
  for (let start = 0; start < bytes; start += CHUNK_BYTES) {
    const part = chunk.subarray(0, Math.min(CHUNK_BYTES, bytes - start));
    await source.readBytesInto(name, part, start, part.length);
    hash.update(part);
    tally.add(chunkValues(dtype, part));
  }
  return { sha256: hash.digest("hex"), ...tally.result() };
}

function chunkValues(dtype: Dtype, part: Uint8Array): TensorValues {
  return valuesOfBytes(dtype, part.subarray(0, part.length - (part.length % dtypeBytes(dtype))));
}

class NumberTally implements Tally {
  private min = Infinity;
  private max = -Infinity;
  private count = 0;
  private nan = 0;
  private inf = 0;
  private readonly sum = new CompensatedSum();
  private readonly scaledSum = new CompensatedSum();

  add(values: TensorValues): void {
    const numbers = values as Float64Array;
    // Blocks are summed plainly and added with compensation: as exact as needed, and fast.
    for (let start = 0; start < numbers.length; start += 1024) this.addBlock(numbers, start, Math.min(start + 1024, numbers.length));
  }

  result(): Omit<TensorStatistics, "sha256"> {
    const { min, max, count, nan, inf } = this;
    if (count === 0) return { min: null, max: null, mean: null, nan, inf };
    const sum = this.sum.value();
    const mean = Number.isFinite(sum) ? sum / count : (this.scaledSum.value() / count) * (1 / SCALE);
    // Rounding must not push the mean of equal values past them.
    return { min, max, mean: Math.min(max, Math.max(min, mean)), nan, inf };
  }

  private addBlock(numbers: Float64Array, start: number, end: number): void {
    let { min, max, nan, inf } = this;
    let sum = 0;
    let skipped = 0;
    for (let i = start; i < end; i++) {
      const value = numbers[i]!;
      if (value - value !== 0) {
        skipped++;
        if (value !== value) nan++;
        else inf++;
        continue;
      }
      if (value < min) min = value;
      if (value > max) max = value;
      sum += value;
    }
    this.min = min;
    this.max = max;
    this.nan = nan;
    this.inf = inf;
    this.count += end - start - skipped;
    this.sum.add(sum);
    this.scaledSum.add(Number.isFinite(sum) ? sum * SCALE : scaledBlock(numbers, start, end));
  }
}

/** Scaled sum of a block whose plain sum overflows. */
function scaledBlock(numbers: Float64Array, start: number, end: number): number {
  let sum = 0;
  for (let i = start; i < end; i++) if (Number.isFinite(numbers[i])) sum += numbers[i]! * SCALE;
  return sum;
}

/** Neumaier's sum: keeps what rounding drops. */
class CompensatedSum {
  private total = 0;
  private dropped = 0;

  add(value: number): void {
    const next = this.total + value;
    this.dropped += Math.abs(this.total) >= Math.abs(value) ? this.total - next + value : value - next + this.total;
    this.total = next;
  }

  value(): number {
    return this.total + this.dropped;
  }
}

class BigintTally implements Tally {
  private min: bigint | undefined;
  private max: bigint | undefined;
  private sum = 0n;
  private count = 0;

  add(values: TensorValues): void {
    const integers = values as BigInt64Array;
    for (const value of integers) {
      if (this.min === undefined || value < this.min) this.min = value;
      if (this.max === undefined || value > this.max) this.max = value;
      this.sum += value;
    }
    this.count += integers.length;
  }

  result(): Omit<TensorStatistics, "sha256"> {
    const { min, max, sum, count } = this;
    if (min === undefined || max === undefined) return { min: null, max: null, mean: null, nan: 0, inf: 0 };
    return { min: String(min), max: String(max), mean: decimalQuotient(sum, BigInt(count)), nan: 0, inf: 0 };
  }
}

/** The quotient as a decimal number with at most 17 digits after the point, cut. */
function decimalQuotient(numerator: bigint, denominator: bigint): string {
  const magnitude = numerator < 0n ? -numerator : numerator;
  const fraction = (((magnitude % denominator) * 10n ** 17n) / denominator).toString().padStart(17, "0").replace(/0+$/, "");
  const text = fraction === "" ? String(magnitude / denominator) : `${magnitude / denominator}.${fraction}`;
  return numerator < 0n && text !== "0" ? `-${text}` : text;
}
