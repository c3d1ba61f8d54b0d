import assert from "node:assert/strict";
import fc from "fast-check";
import { dominates, hypervolume, mutuallyNonDominated, nonDominated, type FrontPoint } from "../../src/selection";

const fraction = fc.double({ min: 0, max: 1, noNaN: true });
const points = fc.array(fc.record({ acc: fraction, asr: fraction }), { minLength: 1, maxLength: 12 });
const at = (acc: number, asr: number): FrontPoint => ({ acc, asr });

describe("front", () => {
  it("dominates() asks for no worse in both and better in one", () => {
    assert.ok(dominates(at(0.8, 0.3), at(0.8, 0.4)));
    assert.ok(dominates(at(0.9, 0.3), at(0.8, 0.3)));
    assert.ok(!dominates(at(0.8, 0.3), at(0.8, 0.3)));
    assert.ok(!dominates(at(0.9, 0.4), at(0.8, 0.3)));
  });

  it("nonDominated() keeps the front by growing ACC", () => {
    // (.8, .4) is beaten by (.8, .3); (.7, .35) by (.8, .3); the others trade ACC for ASR.
    const given = [at(0.9, 0.6), at(0.8, 0.4), at(0.8, 0.3), at(0.7, 0.35), at(0.6, 0.1)];
    assert.deepEqual(nonDominated(given), [at(0.6, 0.1), at(0.8, 0.3), at(0.9, 0.6)]);
  });

  it("nonDominated() keeps equal points, as the objects that they are", () => {
    const [first, second] = [at(0.5, 0.5), at(0.5, 0.5)];
    const front = nonDominated([first, second]);
    assert.ok(front[0] === first && front[1] === second);
  });

  it("nonDominated() says which point has no number", () => {
    assert.throws(() => nonDominated([at(0.5, 0.5), at(NaN, 0.5)]), {
      name: "RangeError",
      message: "Cannot find the front: expected numbers as ACC and ASR of point 2, got NaN and 0.5",
    });
  });

  it("nonDominated() leaves points of which none dominates another, and that together dominate or equal all", () => {
    fc.assert(
      fc.property(points, (given) => {
        const front = nonDominated(given);
        assert.ok(mutuallyNonDominated(front));
        for (const point of given) assert.ok(front.includes(point) || front.some((better) => dominates(better, point)));
        for (let i = 1; i < front.length; i++) assert.ok(front[i]!.acc >= front[i - 1]!.acc && front[i]!.asr >= front[i - 1]!.asr);
      }),
    );
  });

  it("hypervolume() is the area above and left of the front", () => {
    // Strips: .6 wide up to 1 − .1, then .2 wide up to 1 − .3, then .1 wide up to 1 − .6: .54 + .14 + .04 = .72.
    assert.ok(Math.abs(hypervolume([at(0.9, 0.6), at(0.8, 0.3), at(0.6, 0.1)]) - 0.72) < 1e-12);
    assert.equal(hypervolume([]), 0);
    assert.equal(hypervolume([at(1, 0)]), 1);
  });

  it("hypervolume() leaves out what is not better than the reference in both", () => {
    // Of (.8, .3) counts (.8 − .5) · (.6 − .3) = .09; (.4, .1) has too little ACC, (.9, .7) too much ASR.
    const found = hypervolume([at(0.8, 0.3), at(0.4, 0.1), at(0.9, 0.7)], at(0.5, 0.6));
    assert.ok(Math.abs(found - 0.09) < 1e-12);
  });

  it("hypervolume() is in [0, 1], grows with points and is that of the front", () => {
    fc.assert(
      fc.property(points, fraction, fraction, (given, acc, asr) => {
        const area = hypervolume(given);
        assert.ok(area >= 0 && area <= 1);
        assert.equal(hypervolume(nonDominated(given)), area);
        assert.ok(hypervolume([...given, { acc, asr }]) >= area - 1e-12);
      }),
    );
  });
});
