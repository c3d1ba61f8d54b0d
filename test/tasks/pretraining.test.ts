import assert from "node:assert/strict";
import { randomStream } from "../../src/engine/random";
import { AUXILIARY_CLASSES, classOffset, loadPretrainingSet, loadTask, PRETRAINING_CLASSES, TASK_IDS } from "../../src/tasks";
import { weaken } from "../../src/tasks/weaken";

describe("pretraining", () => {
  it("classOffset() lays the tasks' 75 classes and the 44 auxiliary ones side by side", () => {
    assert.deepEqual(
      [...TASK_IDS, "auxiliary" as const].map((part) => classOffset(part)),
      [0, 10, 26, 41, 51, 61, 75],
    );
    assert.equal(AUXILIARY_CLASSES, 44);
    assert.equal(PRETRAINING_CLASSES, 119);
  });

  it("loadPretrainingSet() labels each part within its own classes, evenly", () => {
    const set = loadPretrainingSet({ perTask: 48, auxiliary: 88 });
    assert.equal(set.count, 6 * 48 + 88);
    assert.deepEqual(
      set.parts.map(({ name, start, count }) => [name, start, count]),
      [...TASK_IDS.map((id, index) => [id, 48 * index, 48]), ["auxiliary", 288, 88]],
    );
    for (const { name, start, count } of set.parts) {
      const classes = name === "auxiliary" ? AUXILIARY_CLASSES : loadTask(name).classes.length;
      const seen = new Array<number>(classes).fill(0);
      for (const label of set.labels.subarray(start, start + count)) seen[label - classOffset(name)]!++;
      assert.ok(Math.max(...seen) - Math.min(...seen) <= 1, name);
    }
  });

  it("loadPretrainingSet() gives other images for another seed, the same for the same", () => {
    const first = loadPretrainingSet({ perTask: 5, auxiliary: 5 });
    assert.deepEqual(loadPretrainingSet({ perTask: 5, auxiliary: 5, seed: 0 }), first);
    const other = loadPretrainingSet({ perTask: 5, auxiliary: 5, seed: 1 });
    for (let index = 0; index < first.count; index++) {
      const image = (set: typeof first): Uint8Array => set.images.subarray(index * 3072, (index + 1) * 3072);
      assert.notDeepEqual(image(other), image(first));
    }
  });

  it("loadPretrainingSet() replaces the asked share of MNIST's images by real digits and leaves the rest", () => {
    const drawn = loadPretrainingSet({ perTask: 200, auxiliary: 0 });
    const mixed = loadPretrainingSet({ perTask: 200, auxiliary: 0, realDigits: 0.5 });
    assert.deepEqual(mixed.labels, drawn.labels);
    assert.deepEqual(mixed.images.subarray(200 * 3072), drawn.images.subarray(200 * 3072));
    let replaced = 0;
    for (let index = 0; index < 200; index++) {
      const range = [index * 3072, (index + 1) * 3072] as const;
      if (Buffer.compare(mixed.images.subarray(...range), drawn.images.subarray(...range)) !== 0) replaced++;
    }
    // Binomial(200, 0.5): 100 expected, standard deviation 7.
    assert.ok(replaced > 72 && replaced < 128, `${replaced}`);
  });

  it("loadPretrainingSet() refuses a share outside 0..1", () => {
    assert.throws(() => loadPretrainingSet({ perTask: 1, auxiliary: 0, realDigits: 1.5 }), {
      name: "RangeError",
      message: "Cannot draw pre-training images: expected realDigits in 0..1, got 1.5",
    });
  });

  it("weaken() leaves its argument and stays in [0, 1]", () => {
    const picture = new Float64Array(3 * 32 * 32).fill(0.9);
    const weak = weaken(picture, randomStream(0, "weaken test"), { blurPasses: 2, noise: [0.03, 0.15] });
    assert.ok(picture.every((value) => value === 0.9));
    assert.ok(weak.every((value) => value >= 0 && value <= 1));
    assert.ok(new Set(weak).size > 100);
  });
});
