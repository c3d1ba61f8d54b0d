import assert from "node:assert/strict";
import { clipGradient, startAdam, stepAdam } from "../../src/training";

describe("stepAdam()", () => {
  it("stepAdam() moves by the learning rate against the sign of a first gradient", () => {
    // m̂ = g and v̂ = g² after one step, so the step is rate · g / (|g| + ε) = ± rate
    const parameters = Float32Array.of(1, 1);
    stepAdam(parameters, Float32Array.of(0.5, -4), startAdam(2), 0.1);
    assert.ok(Math.abs(parameters[0]! - 0.9) < 1e-6);
    assert.ok(Math.abs(parameters[1]! - 1.1) < 1e-6);
  });

  it("stepAdam() follows the moments of two unequal gradients", () => {
    // g = 1 then 3: m = 0.9 · 0.1 + 0.1 · 3 = 0.39, m̂ = 0.39 / 0.19; v = 0.999 · 0.001 + 0.001 · 9 = 0.009999, v̂ = v / 0.001999
    const state = startAdam(1);
    const parameters = Float32Array.of(0);
    stepAdam(parameters, Float32Array.of(1), state, 0.1);
    stepAdam(parameters, Float32Array.of(3), state, 0.1);
    const expected = -0.1 - (0.1 * (0.39 / 0.19)) / Math.sqrt(0.009999 / 0.001999);
    assert.ok(Math.abs(parameters[0]! - expected) < 1e-6, `${parameters[0]} and ${expected}`);
  });

  it("stepAdam() decays weights apart from the gradient and only in their group", () => {
    // rate 0.1, decay 0.5: the parameter shrinks by the factor 0.95, before a step of ± 0.1
    const parameters = Float32Array.of(1, 1);
    const groups = [
      { start: 0, end: 1, weightDecay: 0.5 },
      { start: 1, end: 2 },
    ];
    stepAdam(parameters, Float32Array.of(1, 1), startAdam(2), 0.1, {}, groups);
    assert.ok(Math.abs(parameters[0]! - 0.85) < 1e-6);
    assert.ok(Math.abs(parameters[1]! - 0.9) < 1e-6);
  });

  it("stepAdam() leaves alone what no group covers or a factor of 0 freezes", () => {
    const parameters = Float32Array.of(1, 1, 1);
    const groups = [
      { start: 0, end: 1, learningRateFactor: 0 },
      { start: 1, end: 2, learningRateFactor: 3 },
    ];
    stepAdam(parameters, Float32Array.of(1, 1, 1), startAdam(3), 0.1, {}, groups);
    assert.deepEqual([parameters[0], parameters[2]], [1, 1]);
    assert.ok(Math.abs(parameters[1]! - 0.7) < 1e-6);
  });
});

describe("clipGradient()", () => {
  it("clipGradient() scales a gradient down to the limit and returns the norm that it had", () => {
    // norm 5, limit 2.5: halved
    const gradient = Float32Array.of(3, 4);
    assert.equal(clipGradient(gradient, 2.5), 5);
    assert.ok(Math.abs(gradient[0]! - 1.5) < 1e-5 && Math.abs(gradient[1]! - 2) < 1e-5);
  });

  it("clipGradient() leaves a shorter gradient alone", () => {
    const gradient = Float32Array.of(0.3, 0.4);
    clipGradient(gradient, 1);
    assert.deepEqual(gradient, Float32Array.of(0.3, 0.4));
  });
});
