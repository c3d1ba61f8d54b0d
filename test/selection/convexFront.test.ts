import assert from "node:assert/strict";
import { convexFront } from "../../src/selection";

describe("convexFront()", () => {
  const at = (acc: number, asr: number) => ({ acc, asr });

  it("leaves out what lies in a dent of the front, or is dominated", () => {
    // (.8, .5) lies above the chord from (.7, .2) to (.9, .6): at ACC .8 the chord has ASR .4.
    const points = [at(0.9, 0.6), at(0.7, 0.2), at(0.8, 0.5), at(0.6, 0.3)];
    assert.deepEqual(convexFront(points), [at(0.7, 0.2), at(0.9, 0.6)]);
  });

  it("keeps what some weighted sum prefers", () => {
    // At ACC .8 the chord has ASR .4; .3 lies below.
    const points = [at(0.7, 0.2), at(0.8, 0.3), at(0.9, 0.6)];
    assert.deepEqual(convexFront(points), points);
  });
});
