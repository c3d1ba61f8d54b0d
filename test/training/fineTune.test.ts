import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { randomStream, startEngine } from "../../src/engine";
import {
  classificationGradient,
  fineTune,
  joinBatches,
  labelledBatches,
  layoutParameters,
  packParameters,
  oneHot,
} from "../../src/training";
import { visionParameterShapes } from "../../src/models/vision";
import { picoHead, picoImages, picoParameters, PICO_CONFIG } from "./pico";

const RECIPE = { steps: 40, learningRate: 5e-3, warmup: 5, beta2: 0.98, clipNorm: 1 };

function task() {
  const batches = labelledBatches(picoImages(), 12, randomStream(0, "order"));
  return { name: "pico", pretrained: picoParameters(), config: PICO_CONFIG, head: picoHead(), batches };
}

function classification() {
  const layout = layoutParameters(visionParameterShapes(PICO_CONFIG));
  const { weight, logitScale } = picoHead();
  const directions = { frozen: tf.tensor2d(weight.values, [3, 4]) };
  return { config: PICO_CONFIG, layout, directions, scale: Math.exp(logitScale), trained: new Set(layout.map(({ name }) => name)) };
}

describe("fineTune()", () => {
  before(async () => void (await startEngine("wasm")));

  it("fineTune() lowers the loss, keeps the projection, and leaks nothing", async () => {
    const before = tf.memory().numTensors;
    const { batches, pretrained } = task();
    const tuned = await fineTune(task(), RECIPE);
    assert.equal(tf.memory().numTensors, before);
    assert.deepEqual(tuned.get("visual_projection.weight")!.values, pretrained.get("visual_projection.weight")!.values);
    const problem = classification();
    const lossOf = (parameters: typeof tuned) =>
      classificationGradient(problem, packParameters(parameters, problem.layout), batches(99)).losses["loss"]!;
    assert.ok(lossOf(tuned) < 0.5 * lossOf(pretrained), `${lossOf(tuned)} and ${lossOf(pretrained)}`);
    problem.directions.frozen.dispose();
  });

  it("fineTune() gives the same bytes again", async () => {
    const [first, second] = [await fineTune(task(), { ...RECIPE, steps: 5 }), await fineTune(task(), { ...RECIPE, steps: 5 })];
    for (const [name, { values }] of first) assert.deepEqual(second.get(name)!.values, values, name);
  });
});

describe("classificationGradient()", () => {
  it("classificationGradient() has the gradients of finite differences", () => {
    const problem = classification();
    const vector = packParameters(picoParameters(), problem.layout);
    const batch = task().batches(0);
    const { gradient } = classificationGradient(problem, vector, batch);
    const lossAt = (place: number, shift: number): number => {
      const moved = vector.slice();
      moved[place]! += shift;
      return classificationGradient(problem, moved, batch).losses["loss"]!;
    };
    for (const { name, start, end } of problem.layout) {
      const place = start + Math.floor((end - start) / 2);
      const difference = (lossAt(place, 5e-3) - lossAt(place, -5e-3)) / 1e-2;
      // a loss of order 1 in float32 over a step of 0.01: rounding 1e-5, curvature 1e-3
      assert.ok(Math.abs(difference - gradient[place]!) < 5e-3, `${name}: ${difference} and ${gradient[place]}`);
    }
    problem.directions.frozen.dispose();
  });
});

describe("joinBatches()", () => {
  it("joinBatches() puts the batches of its sources one after another", () => {
    const images = picoImages();
    const sources = ["a", "b"].map((name) => labelledBatches(images, name === "a" ? 2 : 3, randomStream(0, name)));
    const joined = joinBatches(...sources)(7);
    const [a, b] = sources.map((source) => source(7));
    assert.equal(joined.count, 5);
    assert.deepEqual([...joined.labels], [...a!.labels, ...b!.labels]);
    assert.deepEqual([...joined.pixels], [...a!.pixels, ...b!.pixels]);
  });
});

describe("oneHot()", () => {
  it("oneHot() refuses a label that is no class", () => {
    assert.throws(() => oneHot(Int32Array.of(0, 3), 3), /^RangeError: Cannot encode label 3: expected one of 3 classes$/);
  });
});
