import assert from "node:assert/strict";
import fc from "fast-check";
import {
  asrAtAcc,
  gapAtEqualAcc,
  nonDominated,
  pairedGap,
  pairedInterval,
  studentInterval,
  studentQuantile,
  type FrontPoint,
} from "../../src/selection";

const fraction = fc.double({ min: 0, max: 1, noNaN: true });
const points = fc.array(fc.record({ acc: fraction, asr: fraction }), { minLength: 1, maxLength: 10 });
const at = (acc: number, asr: number): FrontPoint => ({ acc, asr });
const close = (actual: number, expected: number, tolerance = 1e-12): void =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);

/** Two fronts; their union is (.6, .1), (.8, .3), (.9, .6). */
const baselines = [at(0.6, 0.1), at(0.9, 0.6), at(0.8, 0.3), at(0.7, 0.5), at(0.85, 0.9)];

describe("gap at equal ACC", () => {
  it("asrAtAcc() interpolates between neighbouring points of the union", () => {
    // Half way from .6 to .8: .2. A quarter of the way from .8 to .9: .3 + .25 · .3 = .375. The dominated points change nothing.
    close(asrAtAcc(baselines, 0.7).asr, 0.2);
    close(asrAtAcc(baselines, 0.825).asr, 0.375);
    assert.deepEqual(asrAtAcc(baselines, 0.8), { asr: 0.3, place: "within" });
  });

  it("asrAtAcc() extrapolates to neither side", () => {
    assert.deepEqual(asrAtAcc(baselines, 0.5), { asr: 0.1, place: "below" });
    assert.deepEqual(asrAtAcc(baselines, 0.95), { asr: 0.6, place: "beyond" });
    assert.throws(() => asrAtAcc([], 0.5), { message: "Cannot interpolate the baselines' front: expected at least 1 point, got 0" });
  });

  it("asrAtAcc() grows with ACC, falls with points, and passes through the front", () => {
    fc.assert(
      fc.property(points, points, fraction, fraction, (given, more, first, second) => {
        const [low, high] = [Math.min(first, second), Math.max(first, second)];
        assert.ok(asrAtAcc(given, low).asr <= asrAtAcc(given, high).asr + 1e-12);
        for (const { acc, asr } of nonDominated(given)) close(asrAtAcc(given, acc).asr, asr);
        const reach = Math.max(...given.map(({ acc }) => acc));
        // A point that only reaches further can raise the value beyond the front, and a low one what is interpolated; the staircase can't.
        const stairs = (all: readonly FrontPoint[]): number => Math.min(...all.filter(({ acc }) => acc >= low).map(({ asr }) => asr));
        if (low <= reach) {
          assert.ok(asrAtAcc(given, low).asr <= stairs(given) + 1e-12);
          assert.ok(stairs([...given, ...more]) <= stairs(given));
        }
      }),
    );
  });

  it("gapAtEqualAcc() is what the baselines' ASR there has more than the defence's", () => {
    // At ACC .85 the baselines have .3 + .5 · .3 = .45; the defence .25: gap .2, and .05 below the best ACC.
    const { gap, baselineAsr, place, accBelowBest } = gapAtEqualAcc(at(0.85, 0.25), baselines);
    close(gap, 0.2);
    close(baselineAsr, 0.45);
    close(accBelowBest, -0.05);
    assert.equal(place, "within");
  });

  it("gapAtEqualAcc() of a baseline is never above 0", () => {
    fc.assert(fc.property(points, (given) => given.every((point) => gapAtEqualAcc(point, given).gap <= 1e-12)));
  });

  it("studentQuantile() has the tables' values", () => {
    // Two-sided 95 %: 1, 2, 4, 8, 30 degrees of freedom.
    for (const [degrees, value] of [
      [1, 12.7062],
      [2, 4.30265],
      [4, 2.77645],
      [8, 2.306],
      [30, 2.04227],
    ] as const) {
      close(studentQuantile(degrees), value, 6e-5);
    }
    close(studentQuantile(5, 0.5), 0.72669, 1e-5);
    assert.throws(() => studentQuantile(0), /expected degrees of freedom of at least 1, got 0/);
    assert.throws(() => studentQuantile(2, 1), /expected a coverage between 0 and 1, got 1/);
  });

  it("pairedInterval() is Student's over the pairs, and over the groups' means", () => {
    // 1, 2, 3, 6: mean 3, variance (4 + 1 + 0 + 9) / 3 = 4.6667, standard error √(4.6667 / 4) = 1.0801; t(3) = 3.18245: ± 3.4374.
    // Groups' means 1.5 and 4.5: variance 4.5, standard error 1.5; t(1) = 12.7062: ± 19.0593.
    const found = pairedInterval([
      { value: 1, group: 0 },
      { value: 2, group: 0 },
      { value: 3, group: 1 },
      { value: 6, group: 1 },
    ]);
    close(found.mean, 3);
    close(found.standardError!, 1.0801, 1e-4);
    close(found.interval![0], 3 - 3.4374, 1e-4);
    close(found.interval![1], 3 + 3.4374, 1e-4);
    close(found.groupedInterval![0], 3 - 19.0593, 1e-3);
  });

  it("pairedInterval() of one pair has no interval, of none fails", () => {
    assert.deepEqual(pairedInterval([{ value: 0.2, group: 0 }]), { mean: 0.2, standardError: null, interval: null, groupedInterval: null });
    assert.throws(() => pairedInterval([]), { message: "Cannot average paired differences: expected at least 1 pair, got 0" });
  });

  it("studentInterval() holds the mean, and shifts and stretches with the values", () => {
    const values = fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: 2, maxLength: 9 });
    fc.assert(
      fc.property(values, fc.double({ min: -3, max: 3, noNaN: true }), (given, shift) => {
        const [low, high] = studentInterval(given)!;
        const [shiftedLow, shiftedHigh] = studentInterval(given.map((value) => 2 * value + shift))!;
        assert.ok(low <= high);
        close(shiftedLow, 2 * low + shift, 1e-9);
        close(shiftedHigh, 2 * high + shift, 1e-9);
      }),
    );
  });

  it("pairedGap() compares each pair with its own baselines", () => {
    const run = (zooSeed: number, seed: number, asr: number) => ({
      zooSeed,
      seed,
      defence: at(0.8, asr),
      baselines: [at(0.8, 0.3 + zooSeed / 10)],
    });
    // .3 − .2, .3 − .25, .4 − .2, .4 − .25: .1, .05, .2, .15; mean .125.
    const { pairs, mean, interval } = pairedGap([run(0, 0, 0.2), run(0, 1, 0.25), run(1, 0, 0.2), run(1, 1, 0.25)]);
    [0.1, 0.05, 0.2, 0.15].forEach((gap, index) => close(pairs[index]!.gap, gap));
    close(mean, 0.125);
    assert.ok(interval![0] < mean && mean < interval![1]);
  });
});
