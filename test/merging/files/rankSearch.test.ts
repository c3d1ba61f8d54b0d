import assert from "node:assert/strict";
import { MOST_BUCKETS, type MagnitudeWindow } from "../../../src/engine/simd/merges";
import { exactWindow, guessWindow, RankSearch } from "../../../src/merging/files/rankSearch";

/** Deterministic numbers of many magnitudes, some of them equal. */
const values = Float32Array.from({ length: 5000 }, (_, i) => Math.fround(Math.sin(i * i) * 10 ** ((i % 7) - 3) * (i % 11 === 0 ? 0 : 1)));
const bits = new Uint32Array(values.buffer).map((pattern) => pattern & 0x7fffffff);
const sorted = values.map(Math.abs).sort();

function look({ low, shift, count }: MagnitudeWindow): { below: number; buckets: Uint32Array } {
  const buckets = new Uint32Array(count);
  let below = 0;
  for (const pattern of bits) {
    const bucket = Math.floor((pattern - low) / 2 ** shift);
    if (pattern < low) below++;
    else if (bucket < count) buckets[bucket]!++;
  }
  return { below, buckets };
}

function search(rank: number, window?: MagnitudeWindow): { looks: number; found: RankSearch } {
  const found = new RankSearch(values.length, rank, window);
  for (let looks = 1; ; looks++) {
    assert.ok(found.window.count <= MOST_BUCKETS && looks < 6);
    found.narrow(look(found.window));
    if (found.magnitude !== undefined) return { looks, found };
  }
}

describe("RankSearch", () => {
  it("RankSearch finds the magnitude that a sort gives, and how many are larger, from any first window", () => {
    const wrong = [
      { low: 0, shift: 0, count: 1 },
      { low: 0x3f800000, shift: 3, count: 100 },
      { low: 0x7f7fffff, shift: 0, count: 1 },
    ];
    for (const rank of [1, 2, 400, 456, 2500, 4000, 4999, 5000]) {
      for (const window of [undefined, ...wrong]) {
        const { found } = search(rank, window);
        assert.equal(found.magnitude, sorted[rank - 1]);
        assert.equal(found.above, sorted.filter((each) => each > sorted[rank - 1]!).length);
      }
    }
  });

  it("RankSearch takes one look where the window was told from all values", () => {
    for (const rank of [1, 3000, 5000]) assert.equal(search(rank, exactWindow(values, rank)).looks, 1);
  });

  it("guessWindow() holds the wanted magnitude, judged by a quarter of the values", () => {
    // 1 to 2 in equal steps, in a mixed order: the 80,000th of 100,000 is 1 + 0.79999.
    const many = Float32Array.from({ length: 100_000 }, (_, i) => 1 + ((i * 7919) % 100_000) / 100_000);
    const { low, shift, count } = guessWindow(
      many.filter((_, i) => i % 4 === 0),
      0.8,
    );
    const wanted = new Uint32Array(Float32Array.of(1.79999).buffer)[0]!;
    assert.ok(low <= wanted && wanted < low + count, "inside");
    assert.equal(shift, 0);
    // The window is a tenth of the range at most, which has 2^23 patterns.
    assert.ok(count < 2 ** 23 / 10);
  });

  it("RankSearch gives a threshold that all reach for rank 0", () => {
    const { magnitude, above } = search(0).found;
    assert.deepEqual([magnitude, above], [0, 5000]);
  });
});
