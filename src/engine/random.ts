/**
 * Seeded randomness that does not depend on the order of calls or on the number of workers.
 *
 * A stream is named by a seed and a path of names, such as `randomStream(0, "svhn", "test", 17)`. The name alone decides its numbers: they
 * are Threefry-2x32 with 20 rounds (Salmon et al. 2011, "Parallel Random Numbers: As Easy as 1, 2, 3") of a counter, under a key hashed
 * from the name. Streams with different names are independent, so work can be split over workers in any way.
 */
import { createHash } from "node:crypto";

const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24] as const;
const PARITY = 0x1bd11bda;

/** Threefry-2x32-20 of one 64-bit counter under one 64-bit key; all words are unsigned 32-bit integers. */
export function threefry2x32(key: readonly [number, number], counter: readonly [number, number]): [number, number] {
  const schedule = [key[0], key[1], PARITY ^ key[0] ^ key[1]];
  let x0 = (counter[0] + key[0]) | 0;
  let x1 = (counter[1] + key[1]) | 0;
  for (let round = 0; round < 20; round++) {
    const rotation = ROTATIONS[round % 8]!;
    x0 = (x0 + x1) | 0;
    x1 = ((x1 << rotation) | (x1 >>> (32 - rotation))) ^ x0;
    if (round % 4 === 3) {
      const injection = (round + 1) / 4;
      x0 = (x0 + schedule[injection % 3]!) | 0;
      x1 = (x1 + schedule[(injection + 1) % 3]! + injection) | 0;
    }
  }
  return [x0 >>> 0, x1 >>> 0];
}

/**
 * The random numbers of one name.
 * @param seed Any integer in the safe range.
 * @param path What the numbers are for, from the general to the particular.
 * @throws {RangeError} if the seed is not a safe integer.
 */
export function randomStream(seed: number, ...path: (string | number)[]): RandomStream {
  if (!Number.isSafeInteger(seed)) throw new RangeError(`Cannot open a random stream: expected an integer seed, got ${seed}`);
  const digest = createHash("sha256")
    .update(JSON.stringify([seed, ...path]))
    .digest();
  return new RandomStream([digest.readUInt32LE(0), digest.readUInt32LE(4)]);
}

/** A sequence of random numbers; `position` counts the 32-bit words drawn so far. */
export class RandomStream {
  position = 0;
  private readonly key: readonly [number, number];
  private block: readonly [number, number] = [0, 0];
  private blockIndex = -1;

  constructor(key: readonly [number, number]) {
    this.key = key;
  }

  /** The stream of a name below this one; independent of what was drawn here. */
  child(...path: (string | number)[]): RandomStream {
    return randomStream(this.key[0] * 2 ** 21 + (this.key[1] >>> 11), this.key[1], ...path);
  }

  /** A random unsigned 32-bit integer. */
  word(): number {
    const index = Math.floor(this.position / 2);
    if (index !== this.blockIndex) {
      this.block = threefry2x32(this.key, [index >>> 0, Math.floor(index / 2 ** 32)]);
      this.blockIndex = index;
    }
    return this.block[this.position++ % 2]!;
  }

  /** A number in [low, high), with 32 random bits. */
  uniform(low = 0, high = 1): number {
    return low + (high - low) * (this.word() / 2 ** 32);
  }

  /**
   * An integer in [0, limit), without bias.
   * @throws {RangeError} unless 1 <= limit <= 2^32.
   */
  integer(limit: number): number {
    if (!Number.isInteger(limit) || limit < 1 || limit > 2 ** 32) {
      throw new RangeError(`Cannot draw an integer: expected a limit in 1..2^32, got ${limit}`);
    }
    const ceiling = 2 ** 32 - (2 ** 32 % limit);
    for (;;) {
      const word = this.word();
      if (word < ceiling) return word % limit;
    }
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  /** One of the values, each as likely as the others. */
  pick<T>(values: readonly T[]): T {
    return values[this.integer(values.length)]!;
  }

  /** A standard normal number (Box–Muller; one of the two is thrown away, so that each call draws exactly two words). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log((this.word() + 1) / 2 ** 32));
    return radius * Math.cos(2 * Math.PI * (this.word() / 2 ** 32));
  }

  /** `count` normal numbers of mean 0. */
  normals(count: number, standardDeviation = 1): Float32Array {
    return Float32Array.from({ length: count }, () => standardDeviation * this.normal());
  }

  /** The integers 0..count-1 in random order (Fisher–Yates). */
  permutation(count: number): Uint32Array {
    const order = Uint32Array.from({ length: count }, (_, index) => index);
    for (let last = count - 1; last > 0; last--) {
      const other = this.integer(last + 1);
      const value = order[last]!;
      order[last] = order[other]!;
      order[other] = value;
    }
    return order;
  }
}
