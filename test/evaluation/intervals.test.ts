import assert from "node:assert/strict";
import { bootstrapAverage, quantile, wilsonInterval } from "../../src/evaluation/intervals";
import { rate } from "../../src/evaluation/rates";

function close(actual: readonly number[] | null, expected: readonly number[], tolerance: number): void {
  assert.ok(actual !== null);
  expected.forEach((value, index) =>
    assert.ok(Math.abs(actual[index]! - value) <= tolerance, `${actual.join(", ")} is not ${expected.join(", ")}`),
  );
}

describe("intervals", () => {
  it("wilsonInterval() gives the score interval", () => {
    // p = .5, n = 10, z² = 3.8415: (.5 + .19207 ± 1.95996·√(.025 + .0096036)) / 1.38415 = (.23659, .76341).
    close(wilsonInterval(rate(5, 10)), [0.23659, 0.76341], 1e-5);
    // p = .9, n = 800: (.9 + .0024009 ± 1.95996·√(.0001125 + .0000015006)) / 1.0048018 = (.877262, .918915).
    close(wilsonInterval(rate(720, 800)), [0.877262, 0.918915], 1e-5);
  });

  it("wilsonInterval() stays in [0, 1] and keeps its width at the ends", () => {
    // hits = 0: upper end z² / (n + z²) = 3.8415 / 13.8415 = .27753.
    close(wilsonInterval(rate(0, 10)), [0, 0.27753], 1e-5);
    close(wilsonInterval(rate(10, 10)), [1 - 0.27753, 1], 1e-5);
    assert.equal(wilsonInterval(rate(0, 10))![0], 0);
    assert.equal(wilsonInterval(rate(10, 10))![1], 1);
  });

  it("wilsonInterval() of nothing is null", () => {
    assert.equal(wilsonInterval(rate(0, 0)), null);
  });

  it("bootstrapAverage() has the spread of a mean of independent rates", () => {
    // Two strata of 100 at p = .5: standard error √(.25 / 100 / 2) = .03536, so .5 ± 1.96 · .03536 = .5 ± .0693.
    close(bootstrapAverage([rate(50, 100), rate(50, 100)], { replicates: 20_000 }), [0.4307, 0.5693], 0.006);
    // Unequal strata count the same: √(.09/900 + .25/100) / 2 = .02550, so .7 ± .04998.
    close(bootstrapAverage([rate(810, 900), rate(50, 100)], { replicates: 20_000 }), [0.65, 0.75], 0.004);
  });

  it("bootstrapAverage() draws nothing but hits where all are hits", () => {
    assert.deepEqual(bootstrapAverage([rate(7, 7), rate(9, 9)]), [1, 1]);
    assert.deepEqual(bootstrapAverage([rate(0, 7)]), [0, 0]);
  });

  it("bootstrapAverage() gives the same bytes for a seed, others for another", () => {
    const strata = [rate(30, 80), rate(41, 80)];
    assert.deepEqual(bootstrapAverage(strata, { seed: 3 }), bootstrapAverage(strata, { seed: 3 }));
    assert.notDeepEqual(bootstrapAverage(strata, { seed: 3, replicates: 501 }), bootstrapAverage(strata, { seed: 4, replicates: 501 }));
  });

  it("bootstrapAverage() of nothing, or of an empty stratum, is null", () => {
    assert.equal(bootstrapAverage([]), null);
    assert.equal(bootstrapAverage([rate(1, 2), rate(0, 0)]), null);
  });

  it("bootstrapAverage() rejects a senseless number of replicates", () => {
    assert.throws(
      () => bootstrapAverage([rate(1, 2)], { replicates: 0 }),
      new RangeError("Cannot bootstrap: expected at least 1 replicate, got 0"),
    );
  });

  it("quantile() interpolates between neighbours", () => {
    // Places 0, 1.5 and 3 of four values.
    assert.deepEqual([quantile([1, 2, 4, 8], 0), quantile([1, 2, 4, 8], 0.5), quantile([1, 2, 4, 8], 1)], [1, 3, 8]);
  });
});
