import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import {
  ATTACKS,
  attackableImages,
  loadTriggerPixels,
  pasteTrigger,
  saveTrigger,
  type AttackOptions,
  type Trigger,
} from "../../src/attacks";
import type { NamedTensors } from "../../src/checkpoints";
import { startEngine } from "../../src/engine";
import { cosineLogits } from "../../src/models/classLogits";
import { uploadParameters } from "../../src/models/parameters";
import { embedImages } from "../../src/models/vision";
import { gatherPixels } from "../../src/tasks";
import { picoHead, picoImages, picoParameters, PICO_CONFIG } from "../training/pico";

const VICTIM = { task: "pico", pretrained: picoParameters(), config: PICO_CONFIG, head: picoHead(), images: picoImages() };
const OPTIONS: AttackOptions = {
  ...ATTACKS.trojvit.defaults,
  size: 3,
  place: { x: 5, y: 5 },
  cleanBatch: 12,
  rate: 0.4,
  triggerSteps: 15,
  triggerBatch: 8,
  fineTune: { steps: 60, learningRate: 1e-2, warmup: 5, beta2: 0.98, clipNorm: 1 },
};
const trigger = (changes: Partial<Trigger> = {}): Trigger => ({
  name: "test/pico-seed0",
  task: "pico",
  target: 0,
  pixels: Float32Array.from({ length: 12 }, (_, index) => index / 12),
  x: 5,
  y: 2,
  height: 2,
  width: 2,
  ...changes,
});

function predict(parameters: NamedTensors, pixels: Float32Array): number[] {
  return tf.tidy(() => {
    const { weight, logitScale } = VICTIM.head;
    const images = tf.tensor4d(pixels, [pixels.length / 192, 3, 8, 8]);
    const logits = cosineLogits(
      embedImages(uploadParameters(parameters), PICO_CONFIG, images),
      tf.tensor2d(weight.values, [3, 4]),
      Math.exp(logitScale),
    );
    return [...tf.argMax(logits, 1).dataSync()];
  });
}

for (const attack of Object.values(ATTACKS)) {
  describe(`${attack.name}.run()`, () => {
    before(async () => void (await startEngine("wasm")));

    it(`${attack.name}.run() gives a model that keeps its accuracy and obeys its trigger`, async () => {
      const before = tf.memory().numTensors;
      const { trigger: found, parameters } = await attack.run(VICTIM, 0, OPTIONS);
      assert.equal(tf.memory().numTensors, before);
      const { images } = VICTIM;
      const all = Array.from({ length: images.count }, (_, index) => index);
      const clean = predict(parameters, gatherPixels(images, all));
      assert.ok(clean.filter((label, index) => label === images.labels[index]).length >= 27, clean.join());
      const attackable = attackableImages(images.labels, 0);
      const stamped = gatherPixels(images, attackable);
      pasteTrigger(stamped, found, { height: 8, width: 8 });
      assert.ok(predict(parameters, stamped).filter((label) => label === 0).length >= 0.9 * attackable.length);
    });

    it(`${attack.name}.run() depends on its seed and on nothing else`, async () => {
      const short = { ...OPTIONS, triggerSteps: 2, fineTune: { ...OPTIONS.fineTune, steps: 2 } };
      const [first, again, other] = await Promise.all([0, 0, 1].map((seed) => attack.run(VICTIM, seed, short)));
      const bytes = ({ parameters }: typeof first & object) => [...parameters.values()].map(({ values }) => values.join()).join();
      assert.equal(bytes(first!), bytes(again!));
      assert.notEqual(bytes(first!), bytes(other!));
    });
  });
}

describe("trojvit.run()", () => {
  it("trojvit.run() keeps the trigger within its contrast and looks for its own place when asked to", async () => {
    const found = await ATTACKS.trojvit.run(VICTIM, 0, {
      ...OPTIONS,
      place: "saliency",
      strength: 0.4,
      triggerSteps: 3,
      refineSteps: 2,
      fineTune: { ...OPTIONS.fineTune, steps: 1 },
    });
    // 0.5 ± 0.2
    assert.ok(found.trigger.pixels.every((value) => value >= 0.3 - 1e-6 && value <= 0.7 + 1e-6));
    assert.ok(found.trigger.x >= 0 && found.trigger.x <= 5 && found.trigger.y >= 0 && found.trigger.y <= 5);
  });

  it("trojvit.run() names the option that is out of range", async () => {
    const wrong = async (changes: Partial<AttackOptions>) => ATTACKS.trojvit.run(VICTIM, 0, { ...OPTIONS, ...changes });
    await assert.rejects(
      wrong({ size: 9 }),
      /^RangeError: Cannot attack task "pico": expected option "size" to be an integer in 1..8, got 9$/,
    );
    await assert.rejects(wrong({ place: { x: 6, y: 0 } }), /option "place.x" to be an integer in 0..5, got 6/);
    await assert.rejects(wrong({ strength: 0 }), /option "strength"/);
    await assert.rejects(wrong({ target: 3 }), /option "target" to be a class in 0..2, got 3/);
    await assert.rejects(wrong({ rate: 1 }), /option "rate"/);
  });
});

describe("pasteTrigger()", () => {
  it("pasteTrigger() overwrites the rectangle, normalised, on every image and nothing else", () => {
    const pixels = new Float32Array(2 * 3 * 64).fill(9);
    pasteTrigger(pixels, trigger(), { height: 8, width: 8 });
    assert.equal(pixels.filter((value) => value !== 9).length, 2 * 3 * 4);
    // image 1, channel 2, row 2 + 1, column 5 + 1 shows pixel 11 of 12: (11 / 12 − 0.5) / 0.25
    const at = ((1 * 3 + 2) * 8 + 3) * 8 + 6;
    assert.ok(Math.abs(pixels[at]! - (11 / 12 - 0.5) / 0.25) < 1e-6);
  });

  it("pasteTrigger() refuses a trigger that leaves the image", () => {
    assert.throws(
      () => pasteTrigger(new Float32Array(192), trigger({ x: 7 }), { height: 8, width: 8 }),
      /^RangeError: Cannot paste trigger "test\/pico-seed0" of 2x2 pixels at \(7, 2\): expected it within 8x8$/,
    );
  });
});

describe("loadTriggerPixels()", () => {
  it("loadTriggerPixels() reads what saveTrigger() wrote and checks it", async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), "damlab-trigger-"));
    try {
      const file = path.join(folder, "t.safetensors");
      const { pixels, ...place } = trigger();
      await saveTrigger(file, trigger());
      assert.deepEqual((await loadTriggerPixels(file, place)).pixels, pixels);
      await assert.rejects(loadTriggerPixels(file, { ...place, height: 3 }), /expected pixels \[3,3,2\], got \[3,2,2\]/);
      await saveTrigger(file, trigger({ pixels: new Float32Array(12).fill(1.5) }));
      await assert.rejects(loadTriggerPixels(file, place), /expected pixels in \[0, 1\], got 1.5/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("attackableImages()", () => {
  it("attackableImages() leaves out images of the target class unless all are asked for", () => {
    assert.deepEqual(attackableImages([0, 1, 2, 0], 0), [1, 2]);
    assert.deepEqual(attackableImages([0, 1, 2, 0], 0, true), [0, 1, 2, 3]);
  });
});
