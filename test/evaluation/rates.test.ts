import assert from "node:assert/strict";
import { accuracy, attackSuccessRate, classRate, flipRate } from "../../src/evaluation/rates";

// Five images of classes 0, 0, 1, 2, 2.
const labels = [0, 0, 1, 2, 2];
const clean = [0, 1, 1, 2, 0];
const triggered = [0, 0, 0, 2, 0];

describe("rates", () => {
  it("accuracy() counts predictions that are the true class", () => {
    // Right: images 0, 2 and 3.
    assert.deepEqual(accuracy(clean, labels), { value: 3 / 5, hits: 3, n: 5 });
  });

  it("attackSuccessRate() leaves images of the target class out of the denominator", () => {
    // Of images 2, 3, 4 (true class not 0), images 2 and 4 go to class 0; images 0 and 1 don't count.
    assert.deepEqual(attackSuccessRate(triggered, labels, { target: 0 }), { value: 2 / 3, hits: 2, n: 3 });
  });

  it("attackSuccessRate() counts all images where asked", () => {
    // Images 0, 1, 2, 4 go to class 0.
    assert.deepEqual(attackSuccessRate(triggered, labels, { target: 0, countAll: true }), { value: 4 / 5, hits: 4, n: 5 });
  });

  it("attackSuccessRate() has no value where every image is of the target class", () => {
    assert.deepEqual(attackSuccessRate([3, 3], [3, 3], { target: 3 }), { value: null, hits: 0, n: 0 });
  });

  it("flipRate() counts changed predictions, right or wrong", () => {
    // Images 1 (1 -> 0) and 2 (1 -> 0) change; image 4 is 0 with and without.
    assert.deepEqual(flipRate(clean, triggered), { value: 2 / 5, hits: 2, n: 5 });
  });

  it("classRate() counts all images", () => {
    assert.deepEqual(classRate(triggered, 0), { value: 4 / 5, hits: 4, n: 5 });
  });

  it("accuracy() rejects predictions of another number of images", () => {
    assert.throws(
      () => accuracy([0], labels),
      new TypeError("Cannot count the accuracy: expected one prediction for each of 5 images, got 1"),
    );
  });
});
