/**
 * @file The exact r-th smallest of many magnitudes, by counting those in a window of bit patterns again and again.
 *
 * Non-negative floats sort like their bit patterns. Each look at all values counts how many lie below a window and how many in each of its
 * buckets; that tells whether the wanted one lies below, above, or in which bucket. A first window that was guessed from a sample usually holds
 * it, and one look is enough; a wrong guess costs further looks, never the result.
 */
import { MOST_BUCKETS, type MagnitudeWindow } from "../../engine/simd/merges";

const ALL_PATTERNS = 2 ** 31;
/** Buckets that a sample is counted in: 2^14 patterns each. */
const SAMPLE_SHIFT = 14;

/** One look: how many magnitudes lie below the window, and how many in each bucket. */
export interface WindowCounts {
  readonly below: number;
  readonly buckets: ArrayLike<number>;
}

/** A search for the magnitude of one rank. */
export class RankSearch {
  /** The magnitude, once it is known. */
  magnitude: number | undefined;
  /** How many magnitudes are larger. */
  above = 0;
  private from = 0;
  private to = ALL_PATTERNS;

  /**
   * @param rank 1 is the smallest of `elements` magnitudes; 0 stands for a threshold that all reach.
   * @param window Where to look first.
   */
  constructor(
    private readonly elements: number,
    private readonly rank: number,
    public window: MagnitudeWindow = windowOver(0, ALL_PATTERNS),
  ) {}

  /** Takes what a look at the window has found; afterwards the magnitude is known or the window is the next one. */
  narrow({ below, buckets }: WindowCounts): void {
    const { low, shift, count } = this.window;
    if (this.rank === 0) {
      this.magnitude = 0;
      this.above = this.elements;
    } else if (this.rank <= below) this.to = low;
    else {
      let passed = below;
      let bucket = 0;
      while (bucket < count && passed + buckets[bucket]! < this.rank) passed += buckets[bucket++]!;
      this.from = low + bucket * 2 ** shift;
      if (bucket < count) {
        this.to = Math.min(this.to, this.from + 2 ** shift);
        if (shift === 0) {
          this.magnitude = floatOf(this.from);
          this.above = this.elements - passed - buckets[bucket]!;
        }
      }
    }
    this.window = windowOver(this.from, this.to);
  }
}

/** The whole range in as fine buckets as there may be. */
function windowOver(from: number, to: number): MagnitudeWindow {
  let shift = 0;
  while (Math.ceil((to - from) / 2 ** shift) > MOST_BUCKETS) shift++;
  return { low: from, shift, count: Math.ceil((to - from) / 2 ** shift) };
}

/** Where the magnitude of a rank lies, told from all the values. */
export function exactWindow(values: Float32Array, rank: number): MagnitudeWindow {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length).map((pattern) => pattern & 0x7fffffff);
  return { low: bits.sort()[Math.max(rank, 1) - 1] ?? 0, shift: 0, count: 1 };
}

/** Where the magnitude of a rank probably lies, judged by a sample of the values. @param fraction Rank over number, in [0, 1]. */
export function guessWindow(sample: Float32Array, fraction: number): MagnitudeWindow {
  const bits = new Uint32Array(sample.buffer, sample.byteOffset, sample.length);
  const counts = new Uint32Array(ALL_PATTERNS >>> SAMPLE_SHIFT);
  for (let i = 0; i < bits.length; i++) counts[(bits[i]! & 0x7fffffff) >>> SAMPLE_SHIFT]!++;
  // Neighbours resemble each other, so a sample of runs is worth a smaller one; four of its standard deviations.
  const margin = 4 * Math.sqrt((4 * fraction * (1 - fraction)) / Math.max(1, sample.length)) + 16 / Math.max(1, sample.length);
  let bucket = 0;
  let passed = 0;
  const reach = (share: number): number => {
    while (bucket < counts.length - 1 && passed + counts[bucket]! < share * sample.length) passed += counts[bucket++]!;
    return bucket;
  };
  const low = reach(fraction - margin);
  const high = fraction + margin >= 1 ? counts.length - 1 : reach(fraction + margin);
  return windowOver(low * 2 ** SAMPLE_SHIFT, (high + 1) * 2 ** SAMPLE_SHIFT);
}

function floatOf(bits: number): number {
  return new Float32Array(Uint32Array.of(bits).buffer)[0]!;
}
