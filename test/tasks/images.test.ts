import assert from "node:assert/strict";
import { randomStream } from "../../src/engine/random";
import { firstImages, gatherLabels, gatherPixels, MEAN, normalizePixels, seededBatches, STD, type ImageSet } from "../../src/tasks";

/** Three images of 1 x 2 pixels: bytes 0..17. */
const SET: ImageSet = {
  images: Uint8Array.from({ length: 18 }, (_, index) => index),
  labels: Uint8Array.of(7, 8, 9),
  count: 3,
  channels: 3,
  height: 1,
  width: 2,
};

describe("images", () => {
  it("normalizePixels() maps bytes 0, 51, 255 to -2, -1.2, 2", () => {
    // (51 / 255 - 0.5) / 0.25 = -1.2
    assert.deepEqual(normalizePixels(Uint8Array.of(0, 51, 255)), Float32Array.of(-2, -1.2, 2));
    assert.deepEqual([MEAN, STD], [0.5, 0.25]);
  });

  it("gatherPixels() and gatherLabels() follow the indices, also repeated ones", () => {
    const pixels = gatherPixels(SET, [2, 0, 2]);
    assert.deepEqual(pixels.subarray(0, 6), normalizePixels(SET.images.subarray(12, 18)));
    assert.deepEqual(pixels.subarray(6, 12), normalizePixels(SET.images.subarray(0, 6)));
    assert.deepEqual(pixels.subarray(12), pixels.subarray(0, 6));
    assert.deepEqual(gatherLabels(SET, [2, 0, 2]), Int32Array.of(9, 7, 9));
  });

  it("gatherPixels() refuses an index outside the set", () => {
    assert.throws(() => gatherPixels(SET, [3]), { name: "RangeError", message: "Cannot gather image 3: expected an index below 3" });
  });

  it("firstImages() cuts images and labels", () => {
    const first = firstImages(SET, 2);
    assert.deepEqual([first.count, first.images.length, ...first.labels], [2, 12, 7, 8]);
    assert.equal(firstImages(SET, 5), SET);
  });
});

describe("batches", () => {
  it("seededBatches() uses each image once an epoch, in another order each epoch", () => {
    const batch = seededBatches(randomStream(0, "batches"), 10, 4);
    // 5 batches of 4 are exactly two epochs of 10.
    const order = [0, 1, 2, 3, 4].flatMap((step) => [...batch(step)]);
    const sorted = (part: number[]): number[] => part.slice().sort((a, b) => a - b);
    assert.deepEqual(sorted(order.slice(0, 10)), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.deepEqual(sorted(order.slice(10)), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.notDeepEqual(order.slice(0, 10), order.slice(10));
  });

  it("seededBatches() depends on name and step alone", () => {
    const batch = seededBatches(randomStream(0, "batches"), 10, 4);
    const late = batch(1000);
    for (let step = 0; step < 20; step++) batch(step);
    assert.deepEqual(batch(1000), late);
    assert.deepEqual(seededBatches(randomStream(0, "batches"), 10, 4)(1000), late);
    assert.notDeepEqual(seededBatches(randomStream(1, "batches"), 10, 4)(1000), late);
  });

  it("seededBatches() may give more images than there are", () => {
    assert.equal(new Set(seededBatches(randomStream(0, "batches"), 3, 7)(0)).size, 3);
    assert.throws(() => seededBatches(randomStream(0, "batches"), 0, 4), /expected at least one image and one a batch, got 0 images/);
  });
});
