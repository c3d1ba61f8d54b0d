/**
 * @file The exact r-th smallest magnitude of a stream of float32 values, in two passes and bounded memory.
 *
 * Non-negative floats sort like their bit patterns. The first pass counts the upper 16 bits of |x| and finds the bucket that holds rank r; the
 * second counts the lower 16 bits within that bucket. Nothing is sampled: the result is the value that a full sort would give.
 */

const sharedBits = new Int32Array(1 << 15);
const sharedFloats = new Float32Array(sharedBits.buffer);
const firstNonFinite = 0x7f80;

/** What the two passes found. */
export interface MagnitudeThreshold {
  /** The r-th smallest magnitude; 0 for rank 0. */
  readonly magnitude: number;
  /** How many magnitudes are larger. */
  readonly above: number;
}

/** Radix selection among the magnitudes of `values − origin`; feed every value twice, in any order. */
export class MagnitudeRank {
  private readonly upper = new Uint32Array(1 << 16);
  private lower: Uint32Array | undefined;
  private elements = 0;
  private rank = 0;
  private bucket = 0;
  private below = 0;

  /** @param rank 1 = the smallest of `elements` magnitudes; 0 stands for a threshold that all reach. */
  begin(elements: number, rank: number): void {
    this.elements = elements;
    this.rank = rank;
    this.below = 0;
    this.upper.fill(0);
  }

  /** First pass. */
  countUpper(values: Float32Array, origin: Float32Array): void {
    const counts = this.upper;
    for (let start = 0; start < values.length; start += sharedFloats.length) {
      const length = differences(values, origin, start);
      for (let i = 0; i < length; i++) counts[(sharedBits[i]! >>> 16) & 0x7fff]!++;
    }
  }

  /** @throws {RangeError} if a value was NaN or infinite. */
  finishUpper(): void {
    for (let bucket = firstNonFinite; bucket < 1 << 15; bucket++) {
      if (this.upper[bucket] !== 0) throw new RangeError("expected finite parameters, got NaN or an infinity");
    }
    this.bucket = 0;
    this.below = 0;
    while (this.below + this.upper[this.bucket]! < this.rank) this.below += this.upper[this.bucket++]!;
    this.lower ??= new Uint32Array(1 << 16);
    this.lower.fill(0);
  }

  /** Second pass. */
  countLower(values: Float32Array, origin: Float32Array): void {
    const counts = this.lower!;
    const bucket = this.bucket;
    for (let start = 0; start < values.length; start += sharedFloats.length) {
      const length = differences(values, origin, start);
      for (let i = 0; i < length; i++) {
        const bits = sharedBits[i]!;
        if (((bits >>> 16) & 0x7fff) === bucket) counts[bits & 0xffff]!++;
      }
    }
  }

  finishLower(): MagnitudeThreshold {
    if (this.rank === 0) return { magnitude: 0, above: this.elements };
    const counts = this.lower!;
    let below = this.below;
    let low = 0;
    while (below + counts[low]! < this.rank) below += counts[low++]!;
    const bits = new Uint32Array([(this.bucket << 16) | low]);
    return { magnitude: new Float32Array(bits.buffer)[0]!, above: this.elements - below - counts[low]! };
  }
}

/** Puts the float32 differences where their bits can be read; returns how many. */
function differences(values: Float32Array, origin: Float32Array, start: number): number {
  const length = Math.min(sharedFloats.length, values.length - start);
  for (let i = 0; i < length; i++) sharedFloats[i] = values[start + i]! - origin[start + i]!;
  return length;
}
