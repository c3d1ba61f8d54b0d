import assert from "node:assert/strict";
import fc from "fast-check";
import { chooseStop } from "../../src/selection";

const look = (flips: number, changes: { agreement?: number; entropy?: number } = {}) => ({
  flips,
  agreement: 0.9,
  entropy: 0.5,
  images: 900,
  ...changes,
});

describe("chooseStop()", () => {
  it("chooseStop() goes on for as long as nothing gets worse", () => {
    assert.deepEqual(chooseStop([look(0.5)]), { best: 0, settled: false });
    assert.deepEqual(chooseStop([look(0.5), look(0.3), look(0.35), look(0.36)]), { best: 3, settled: false });
  });

  it("chooseStop() ends when some looks in a row are worse, and takes the one before them", () => {
    assert.deepEqual(chooseStop([look(0.5), look(0.3), look(0.38)]), { best: 1, settled: false });
    assert.deepEqual(chooseStop([look(0.5), look(0.3), look(0.38), look(0.4)]), { best: 1, settled: true });
    assert.deepEqual(chooseStop([look(0.5), look(0.3), look(0.38), look(0.36)]), { best: 3, settled: false });
    assert.deepEqual(chooseStop([look(0.5), look(0.3), look(0.38)], 1), { best: 1, settled: true });
    assert.deepEqual(chooseStop([look(0.5), look(0.3), look(0.38)], 1, { flipsGain: 0.1 }), { best: 2, settled: false });
  });

  it("chooseStop() takes the newest look or the one that it took before", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ flips: fc.double({ min: 0, max: 1, noNaN: true }), agreement: fc.double({ min: 0, max: 1, noNaN: true }), entropy: fc.double({ min: 0, max: 2, noNaN: true }) }), { minLength: 2, maxLength: 8 }), // prettier-ignore
        (seen) => {
          const looks = seen.map(({ flips, ...changes }) => look(flips, changes));
          const [before, now] = [chooseStop(looks.slice(0, -1)), chooseStop(looks)];
          assert.ok(now.best === before.best || now.best === looks.length - 1);
          assert.equal(now.settled, looks.length - 1 - now.best >= 2);
        },
      ),
    );
  });

  it("chooseStop() does not take what has lost the merge's classes or its certainty", () => {
    assert.equal(chooseStop([look(0.3), look(0.1, { agreement: 0.8 })]).best, 0);
    assert.equal(chooseStop([look(0.3), look(0.1, { agreement: 0.8 })], 2, { agreementLoss: 0.2 }).best, 1);
    assert.equal(chooseStop([look(0.3), look(0.1, { entropy: 0.9 })]).best, 0);
  });

  it("chooseStop() of no look fails", () => {
    assert.throws(() => chooseStop([]), /^RangeError: /);
  });
});
