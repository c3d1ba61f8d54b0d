import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { loadTask, SPLITS, TASK_IDS, type Task } from "../../src/tasks";
import { DIGIT_COUNTS } from "../../src/tasks/mnist";
import { balancedLabels } from "../../src/tasks/suite";

const CLASSES = { mnist: 10, cars: 16, resisc45: 15, eurosat: 10, svhn: 10, dtd: 14 };

/** Mean image of a class over the first images of a split. */
function meanImage(task: Task, label: number): Float64Array {
  const { images, labels, count } = task.load("validation");
  const mean = new Float64Array(3 * 32 * 32);
  let members = 0;
  for (let index = 0; index < count; index++) {
    if (labels[index] !== label) continue;
    members++;
    for (let at = 0; at < mean.length; at++) mean[at]! += images[index * mean.length + at]! / 255;
  }
  return mean.map((sum) => sum / members);
}

describe("suite", () => {
  for (const id of TASK_IDS) {
    it(`loadTask() describes "${id}"`, () => {
      const task = loadTask(id);
      assert.equal(task.classes.length, CLASSES[id]);
      assert.equal(new Set(task.classes).size, CLASSES[id]);
      assert.equal(task.descriptions.length, CLASSES[id]);
      assert.equal(task.procedural, id !== "mnist");
      assert.equal(task.title.includes("procedural"), task.procedural);
    });

    it(`load() gives "${id}" in the declared shape, balanced over any prefix`, () => {
      const task = loadTask(id);
      const set = task.load("test");
      assert.deepEqual([set.count, set.channels, set.height, set.width], [task.splits.test, 3, 32, 32]);
      assert.equal(set.images.length, set.count * 3 * 32 * 32);
      assert.equal(set.labels.length, set.count);
      const seen = new Array<number>(CLASSES[id]).fill(0);
      for (const label of set.labels) {
        seen[label]!++;
        assert.ok(Math.max(...seen) - Math.min(...seen) <= 1);
      }
    });

    it(`load() gives classes of "${id}" that differ more than chance`, () => {
      const task = loadTask(id);
      const means = task.classes.map((_, label) => meanImage(task, label));
      for (let a = 0; a < means.length; a++) {
        for (let b = 0; b < a; b++) {
          const distance = Math.sqrt(means[a]!.reduce((sum, value, at) => sum + (value - means[b]![at]!) ** 2, 0) / means[a]!.length);
          assert.ok(distance > 0.02, `${task.classes[a]} and ${task.classes[b]}: ${distance}`);
        }
      }
    });
  }

  it("load() hides the labels of adapt", () => {
    for (const id of TASK_IDS) {
      const set = loadTask(id).load("adapt", { limit: 20 });
      assert.deepEqual(Object.keys(set).sort(), ["channels", "count", "height", "images", "width"]);
    }
    // @ts-expect-error the type has no labels either
    void loadTask("mnist").load("adapt", { limit: 20 }).labels;
  });

  it("load() with a limit gives a prefix, whatever was loaded before", () => {
    const long = loadTask("cars").load("train", { limit: 30 });
    const short = loadTask("cars").load("train", { limit: 7 });
    const longer = loadTask("cars").load("train", { limit: 40 });
    assert.deepEqual(short.labels, long.labels.subarray(0, 7));
    assert.deepEqual(short.images, long.images.subarray(0, 7 * 3072));
    assert.deepEqual(longer.images.subarray(0, 30 * 3072), long.images);
    assert.equal(longer.count, 40);
  });

  it("load() gives MNIST's digits in the declared ranges, train to the package's end", () => {
    const { splits } = loadTask("mnist");
    assert.deepEqual(splits, { test: 800, validation: 400, adapt: 800, train: 10_000 - 2000 });
    const folder = join(dirname(require.resolve("mnist/package.json")), "src", "digits");
    DIGIT_COUNTS.forEach((count, digit) => {
      const { data } = JSON.parse(readFileSync(join(folder, `${digit}.json`), "utf8")) as { data: number[] };
      assert.equal(data.length, count * 28 * 28);
    });
  });

  it("load() enlarges MNIST's digits without moving them", () => {
    const set = loadTask("mnist").load("test", { limit: 10 });
    const label = set.labels[0]!;
    const folder = join(dirname(require.resolve("mnist/package.json")), "src", "digits");
    const { data } = JSON.parse(readFileSync(join(folder, `${label}.json`), "utf8")) as { data: number[] };
    // The first image is digit 0 of its class. Row 16 of 32 lies at (16.5 * 28/32) - 0.5 = 13.9375 of 28, and so for columns.
    const at = (row: number, column: number): number => Math.round(255 * data[row * 28 + column]!);
    const f = 0.9375;
    const upper = (1 - f) * at(13, 13) + f * at(13, 14);
    const lower = (1 - f) * at(14, 13) + f * at(14, 14);
    assert.ok(Math.abs(set.images[16 * 32 + 16]! - ((1 - f) * upper + f * lower)) <= 0.5);
  });

  it("balancedLabels() shuffles each block anew", () => {
    const labels = balancedLabels(1000, 10, 0, "test");
    const blocks = Array.from({ length: 100 }, (_, block) => labels.subarray(10 * block, 10 * block + 10).join());
    assert.ok(new Set(blocks).size > 95);
    assert.deepEqual(balancedLabels(13, 10, 0, "test"), labels.subarray(0, 13));
  });

  it("loadTask() and load() name what exists", () => {
    assert.throws(() => loadTask("imagenet"), {
      name: "RangeError",
      message: 'Cannot load task "imagenet": expected one of mnist, cars, resisc45, eurosat, svhn, dtd',
    });
    assert.throws(() => loadTask("svhn").load("extra" as "test"), {
      name: "RangeError",
      message: `Cannot load split "extra" of task "svhn": expected one of ${SPLITS.join(", ")}`,
    });
    assert.throws(() => loadTask("svhn").load("test", { limit: 0 }), /expected a limit of at least 1, got 0/);
  });
});
