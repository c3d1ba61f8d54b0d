import assert from "node:assert/strict";
import fc from "fast-check";
import { checkAlphaControl, chooseAlpha, oracleAlpha, pooledStandardError, type Candidate } from "../../src/selection";

const candidate = (alpha: number, agreement: number, flips: number, entropy = 0.3): Candidate => ({
  alpha,
  agreement,
  flips,
  entropy,
  images: 960,
});

/** Synthetic defence: with α, agreement falls slowly and then fast, flips fall fast and then slowly. */
const family = [
  candidate(0, 0.95, 0.4),
  candidate(0.3, 0.945, 0.3),
  candidate(1, 0.93, 0.2),
  candidate(3, 0.925, 0.195),
  candidate(10, 0.85, 0.1),
];

describe("alpha", () => {
  it("chooseAlpha() takes the safest that still agrees with the unmasked merge", () => {
    // The guard is .95 − .03 = .92: α = 10 is out. Safest is 3 (.195 ± .0128), and 1 lies within the standard error.
    assert.deepEqual(chooseAlpha(family), { alpha: 1, admitted: [0, 0.3, 1, 3] });
    assert.equal(chooseAlpha(family, { agreementLoss: 0.2 }).alpha, 10);
    assert.equal(chooseAlpha(family, { agreementLoss: 0.001 }).alpha, 0);
  });

  it("chooseAlpha() refuses what has grown uncertain", () => {
    const uncertain = family.map((each) => (each.alpha >= 1 ? { ...each, entropy: 0.5 } : each));
    assert.deepEqual(chooseAlpha(uncertain), { alpha: 0.3, admitted: [0, 0.3] });
    assert.equal(chooseAlpha(uncertain, { entropyFactor: 2 }).alpha, 1);
  });

  it("chooseAlpha() goes by agreement where the guards leave nothing", () => {
    assert.deepEqual(chooseAlpha([candidate(0, 0.9, 0.4, 0.9), candidate(1, 0.5, 0.1, 0.1)]), { alpha: 0, admitted: [0] });
  });

  it("chooseAlpha() of no candidate fails", () => {
    assert.throws(() => chooseAlpha([]), { name: "RangeError", message: "Cannot choose alpha: expected at least 1 candidate, got 0" });
  });

  it("chooseAlpha() does not depend on the order, and a new candidate without agreement changes nothing", () => {
    const shares = fc.double({ min: 0, max: 1, noNaN: true });
    const candidates = fc.uniqueArray(
      fc.record({ alpha: fc.integer({ min: 0, max: 99 }), agreement: shares, flips: shares, entropy: fc.double({ min: 0.1, max: 2 }) }),
      { selector: ({ alpha }) => alpha, minLength: 1, maxLength: 6 },
    );
    fc.assert(
      fc.property(candidates, (given) => {
        const all = given.map((each) => ({ ...each, images: 100 }));
        const chosen = chooseAlpha(all);
        assert.ok(chosen.admitted.includes(chosen.alpha));
        // Equal flips may be met in either order; the smallest α within their error is the same.
        assert.equal(chooseAlpha([...all].reverse()).alpha, chosen.alpha);
        if (chosen.admitted.length === all.length) {
          const worse = { alpha: 100, agreement: -1, flips: 0, entropy: 0.1 + Math.min(...all.map(({ entropy }) => entropy)), images: 100 };
          assert.equal(chooseAlpha([...all, worse]).alpha, chosen.alpha);
        }
      }),
    );
  });

  it("oracleAlpha() takes the largest gap near the best ACC, else the highest ACC", () => {
    // Baselines: .8/.5 and .7/.3. Gaps: α 0 at .8: .5 − .45 = .05; α 1 at .795: .49 − .3 = .19; α 3 at .7: .3 − .0 = .3, but .1 too low.
    const baselines = [
      { acc: 0.8, asr: 0.5 },
      { acc: 0.7, asr: 0.3 },
    ];
    const candidates = [
      { alpha: 0, acc: 0.8, asr: 0.45 },
      { alpha: 1, acc: 0.795, asr: 0.3 },
      { alpha: 3, acc: 0.7, asr: 0 },
    ];
    assert.equal(oracleAlpha(candidates, baselines), 1);
    assert.equal(oracleAlpha(candidates, baselines, 0.11), 3);
    assert.equal(oracleAlpha(candidates.slice(2), baselines), 3);
    assert.throws(() => oracleAlpha([], baselines), /expected at least 1 candidate, got 0/);
  });

  it("pooledStandardError() is that of a difference of means", () => {
    // Variances 1 (of 1, 2, 3) and 4 (of 2, 4, 6): pooled (2·1 + 2·4) / 4 = 2.5; √(2.5 · (1/3 + 1/3)) = 1.29099.
    assert.ok(Math.abs(pooledStandardError([1, 2, 3], [2, 4, 6])! - 1.29099) < 1e-5);
    assert.equal(pooledStandardError([1], [2]), null);
    assert.equal(pooledStandardError([], [1, 2, 3]), null);
  });

  it("checkAlphaControl() sees a front whose steps are larger than their standard errors", () => {
    const runs = (alpha: number, acc: number, asr: number) => ({
      alpha,
      runs: [-0.01, 0, 0.01].map((shift) => ({ acc: acc + shift, asr: asr + shift })),
    });
    // Standard error: s = .01, √(.0001 · 2/3) = .00816. Steps of .1 and .05 are larger, .005 is not.
    const good = checkAlphaControl([runs(1, 0.83, 0.45), runs(0, 0.85, 0.6), runs(0.1, 0.84, 0.5)]);
    assert.deepEqual(
      good.means.map(({ alpha }) => alpha),
      [0, 0.1, 1],
    );
    assert.ok(good.nonDominated && good.separated);
    assert.ok(Math.abs(good.steps[0]!.standardError! - 0.008165) < 1e-6);
    assert.ok(!checkAlphaControl([runs(0, 0.85, 0.6), runs(1, 0.84, 0.595)]).separated);
    const beaten = checkAlphaControl([runs(0, 0.85, 0.6), runs(1, 0.86, 0.5)]);
    assert.ok(!beaten.nonDominated && beaten.means[0]!.dominated && !beaten.means[1]!.dominated);
  });

  it("checkAlphaControl() refuses an alpha without runs, or given twice", () => {
    assert.throws(() => checkAlphaControl([{ alpha: 1, runs: [] }]), /expected at least 1 run at 1, got 0/);
    const one = { alpha: 1, runs: [{ acc: 1, asr: 0 }] };
    assert.throws(() => checkAlphaControl([one, one]), /expected different values, got 1 twice/);
  });
});
