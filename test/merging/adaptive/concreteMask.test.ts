import * as assert from "node:assert/strict";
import { randomStream } from "../../../src/engine";
import {
  composeMasks,
  createMergeSpace,
  expandMask,
  layoutMask,
  logisticNoise,
  maskDensity,
  relaxMask,
  sumOverElements,
  thresholdMask,
} from "../../../src/merging/adaptive";
import { CONFIG, PRETRAINED, VECTORS } from "../../dam/pico";

const { layout } = createMergeSpace(PRETRAINED, VECTORS);
const WEIGHT = layoutMask(layout, "weight", CONFIG);
const slotOf = (name: string) => layout.find((slot) => slot.name.endsWith(name))!;

describe("layoutMask()", () => {
  it("layoutMask() gives one logit an element, a row, a head or a tensor", () => {
    const elements = layout.at(-1)!.end;
    assert.equal(WEIGHT.logits, elements);
    assert.equal(layoutMask(layout, "layer", CONFIG).logits, layout.length);
    // rows: class 8, patches 8, positions 5, norms 2 x 8 each (4 of them), q k v out: 8 + 8 each, fc1: 16 + 16, fc2: 8 + 8
    assert.equal(layoutMask(layout, "neuron", CONFIG).logits, 8 + 8 + 5 + 4 * 16 + 4 * 16 + 32 + 16);
    // two heads in q, k, v (weight, bias) and in the output's weight
    assert.equal(layoutMask(layout, "head", CONFIG).logits, layout.length + 7);
  });

  it("expandMask() gives a head its rows of the query projection and its columns of the output projection", () => {
    const mask = layoutMask(layout, "head", CONFIG);
    const expanded = expandMask(
      mask,
      Float32Array.from({ length: mask.logits }, (_, index) => index),
    );
    const part = (name: string) => [...expanded.subarray(slotOf(name).start, slotOf(name).end)];
    const [queries, outputs] = [part("q_proj.weight"), part("out_proj.weight")];
    assert.ok(queries.every((value, i) => value === queries[0]! + (i < 32 ? 0 : 1)));
    assert.ok(outputs.every((value, i) => value === outputs[0]! + (i % 8 < 4 ? 0 : 1)));
  });

  it("sumOverElements() is the adjoint of expandMask()", () => {
    for (const granularity of ["weight", "neuron", "head", "layer"] as const) {
      const mask = layoutMask(layout, granularity, CONFIG);
      const random = randomStream(0, granularity);
      const [factors, values] = [random.normals(mask.logits), random.normals(mask.elements)];
      const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).reduce((sum, value, i) => sum + value * b[i]!, 0);
      assert.ok(Math.abs(dot(expandMask(mask, factors), values) - dot(factors, sumOverElements(mask, values))) < 1e-3);
    }
  });
});

describe("relaxMask()", () => {
  it("relaxMask() has mean 1 over each tensor, and is all ones without noise at equal logits", () => {
    const noise = logisticNoise(randomStream(0, "noise"), WEIGHT.logits);
    const { mask } = relaxMask(WEIGHT, new Float32Array(WEIGHT.logits).fill(0.4), noise);
    for (const { start, end } of layout) {
      const mean = mask.subarray(start, end).reduce((sum, value) => sum + value, 0) / (end - start);
      assert.ok(Math.abs(mean - 1) < 1e-5);
    }
    assert.ok(relaxMask(WEIGHT, new Float32Array(WEIGHT.logits).fill(0.4), null).mask.every((factor) => Math.abs(factor - 1) < 1e-6));
  });

  it("relaxMask() of one logit a layer has mean 1 over all elements", () => {
    const layers = layoutMask(layout, "layer", CONFIG);
    const { mask } = relaxMask(layers, randomStream(0, "logits").normals(layers.logits), null);
    const expanded = expandMask(layers, mask);
    assert.ok(Math.abs(expanded.reduce((sum, value) => sum + value, 0) / expanded.length - 1) < 1e-5);
    assert.ok(mask.some((factor) => Math.abs(factor - 1) > 0.1));
  });

  it("logisticNoise() has the logistic distribution's mean and variance", () => {
    const noise = logisticNoise(randomStream(1, "noise"), 100_000);
    const mean = noise.reduce((sum, value) => sum + value, 0) / noise.length;
    const variance = noise.reduce((sum, value) => sum + value ** 2, 0) / noise.length;
    // mean 0, standard error 0.006; variance π²/3 = 3.29
    assert.ok(Math.abs(mean) < 0.03 && Math.abs(variance - Math.PI ** 2 / 3) < 0.1, `${mean}, ${variance}`);
  });

  it("thresholdMask() keeps what is likely, rescaled, and maskDensity() says how much is expected to be kept", () => {
    const logits = Float32Array.from({ length: WEIGHT.logits }, (_, i) => (i % 4 === 0 ? 2 : -2));
    const mask = thresholdMask(WEIGHT, logits);
    // every fourth element is kept and counts four times
    assert.deepEqual([...mask.subarray(8, 16)], [4, 0, 0, 0, 4, 0, 0, 0]);
    // (σ(2) + 3 σ(−2)) / 4
    assert.ok(Math.abs(maskDensity(WEIGHT, logits) - (0.8808 + 3 * 0.1192) / 4) < 1e-3);
  });

  it("composeMasks() multiplies masks and is null without one", () => {
    assert.equal(composeMasks(WEIGHT, []), null);
    const [first, second] = [0, 1].map((seed) => relaxMask(WEIGHT, randomStream(seed, "logits").normals(WEIGHT.logits), null));
    const both = composeMasks(WEIGHT, [first!, second!])!;
    assert.ok(both.every((factor, i) => Math.abs(factor - first!.mask[i]! * second!.mask[i]!) < 1e-6));
  });
});
