import assert from "node:assert/strict";
import { compare, compareAll, median } from "../../bench/harness/statistics";
import type { Measured } from "../../bench/harness/types";

function measured(
  contestant: string,
  seconds: number[],
  peakBytes: number | null = null,
  processorSeconds: number | null = null,
): Measured {
  return {
    contestant,
    seconds,
    median: median(seconds),
    range: [Math.min(...seconds), Math.max(...seconds)],
    processorSeconds,
    peakBytes,
    heldBytes: null,
    facts: {},
  };
}

describe("bench/statistics", () => {
  it("median() takes the middle of an odd and the mean of the middle two of an even number", () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 3, 2]), 2.5);
  });

  it("compare() compares round by round, so that load that both meet cancels out", () => {
    // rounds 2/1, 20/10, 30/10: median 2; the medians' quotient would be 20/10 = 2, the means' 52/21
    const ratio = compare(measured("ours", [1, 10, 10], 100, 2), measured("theirs", [2, 20, 30], 400, 6), { speed: 2, memory: 0.25 });
    assert.equal(ratio.speed, 2);
    assert.equal(ratio.memory, 0.25);
    assert.equal(ratio.processor, 3);
    assert.equal(ratio.reached, true);
  });

  it("compare() misses a bar by speed, by memory, and where memory is unknown", () => {
    const [ours, theirs] = [measured("ours", [1], 100), measured("theirs", [2], 150)];
    assert.equal(compare(ours, theirs, { speed: 2.1 }).reached, false);
    assert.equal(compare(ours, theirs, { speed: 2, memory: 0.5 }).reached, false);
    assert.equal(compare(ours, measured("theirs", [2]), { memory: 0.5 }).reached, false);
    assert.equal(compare(ours, theirs, null).reached, null);
  });

  it("compareAll() asks for the bar against the fastest reference alone", () => {
    const ratios = compareAll([{ measured: measured("ours", [2]), bar: { speed: 1 } }], [measured("slow", [9]), measured("fast", [1])]);
    assert.deepEqual(
      ratios.map(({ reference, reached }) => [reference, reached]),
      [
        ["slow", null],
        ["fast", false],
      ],
    );
  });
});
