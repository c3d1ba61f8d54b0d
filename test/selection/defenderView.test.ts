import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { startEngine } from "../../src/engine";
import { measureDefenderView } from "../../src/selection";
import { ADAPTATION_TASKS, CONFIG, PRETRAINED, VECTORS } from "../dam/pico";

describe("what a defender can measure", () => {
  before(async () => void (await startEngine()));

  const models = { config: CONFIG, pretrained: PRETRAINED, unmasked: PRETRAINED, tasks: ADAPTATION_TASKS };
  const options = { images: 24, steps: 2, batchSize: 4, sides: [2, 3] as const, seed: 5 };
  const moved = new Map(
    [...PRETRAINED].map(([name, { shape, values }]) => {
      const step = VECTORS[0]!.get(name)?.values;
      return [name, { shape, values: step === undefined ? values : values.map((value, index) => value + 3 * step[index]!) }];
    }),
  );

  it("measureDefenderView() sees that a model agrees with itself, and leaves no tensor behind", async () => {
    await measureDefenderView({ ...models, candidate: PRETRAINED }, { ...options, steps: 0 });
    const { numTensors } = tf.memory();
    const view = await measureDefenderView({ ...models, candidate: PRETRAINED }, options);
    assert.equal(tf.memory().numTensors, numTensors);
    assert.equal(view.agreement, 1);
    assert.equal(view.images, 3 * 24);
    // Entropy of at most 3, 4 and 5 classes: below (ln 3 + ln 4 + ln 5) / 3 = 1.3648.
    assert.ok(view.entropy > 0 && view.entropy < 1.3648);
    assert.ok(view.flips >= 0 && view.flips <= 1);
  });

  it("measureDefenderView() gives the same numbers again, and others for another model or seed", async () => {
    const first = await measureDefenderView({ ...models, candidate: moved }, options);
    assert.deepEqual(await measureDefenderView({ ...models, candidate: moved }, options), first);
    assert.ok(first.agreement < 1);
    const other = await measureDefenderView({ ...models, candidate: moved }, { ...options, seed: 6 });
    // The seed draws stickers and batches, not the images that are counted.
    assert.equal(other.agreement, first.agreement);
    assert.equal(other.entropy, first.entropy);
  });

  it("measureDefenderView() finds that stickers flip more images the longer they climb", async () => {
    const flips = async (steps: number): Promise<number> =>
      (await measureDefenderView({ ...models, candidate: moved }, { ...options, steps })).flips;
    const [random, climbed] = [await flips(0), await flips(40)];
    assert.ok(climbed > random, `${climbed} after ${random}`);
  });
});
