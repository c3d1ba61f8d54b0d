import assert from "node:assert/strict";
import fc from "fast-check";
import { MagnitudeRank } from "../../src/merging/magnitudeRank";

/** The r-th smallest magnitude by sorting, and how many are larger. */
function sorted(values: readonly number[], rank: number): { magnitude: number; above: number } {
  const magnitudes = values.map(Math.abs).sort((a, b) => a - b);
  const magnitude = magnitudes[rank - 1]!;
  return { magnitude, above: magnitudes.filter((value) => value > magnitude).length };
}

function select(values: readonly number[], rank: number): { magnitude: number; above: number } {
  const floats = Float32Array.from(values);
  const zeros = new Float32Array(values.length);
  const selection = new MagnitudeRank();
  selection.begin(values.length, rank);
  selection.countUpper(floats, zeros);
  selection.finishUpper();
  selection.countLower(floats, zeros);
  return selection.finishLower();
}

describe("MagnitudeRank", () => {
  it("MagnitudeRank finds what sorting finds, subnormals and repeated values included", () => {
    const values = fc.array(fc.oneof(fc.float({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(0, -0, 2 ** -149, 0.25, -0.25)), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(values, fc.nat(), (array, n) => {
        const rank = 1 + (n % array.length);
        assert.deepEqual(select(array, rank), sorted(array, rank));
      }),
      { seed: 5, numRuns: 400 },
    );
  });

  it("MagnitudeRank lets every magnitude reach rank 0", () => {
    assert.deepEqual(select([1, -2, 3], 0), { magnitude: 0, above: 3 });
  });

  it("MagnitudeRank spans more values than one block", () => {
    // 100,000 magnitudes 0, 1, …: the r-th smallest is r − 1.
    const values = Array.from({ length: 100_000 }, (_, i) => (i % 2 === 0 ? i : -i));
    assert.deepEqual(select(values, 80_001), { magnitude: 80_000, above: 19_999 });
  });
});
