import * as assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { startEngine } from "../../src/engine";
import {
  coefficientGradient,
  combineTaskVectors,
  composeMasks,
  layoutMask,
  logitGradient,
  maskGradient,
  mergeMasked,
  openWorkplace,
  relaxMask,
  startCoefficients,
  type CoefficientGranularity,
  type MaskGranularity,
} from "../../src/merging/adaptive";
import {
  CONFIG,
  CONTEXT,
  FIXTURE_LABELS,
  fixtureBatches,
  fixtureNoise,
  mergedSequence,
  readFixture,
  relativeError,
  sequence,
} from "./pico";

const NAMES = ["shared", "backdoor"] as const;
const LOSS = { entropy: 1, crossEntropy: 0.5, labels: FIXTURE_LABELS };

function setting(kind: CoefficientGranularity, granularity: MaskGranularity) {
  const place = openWorkplace(CONTEXT, 4);
  const layout = layoutMask(place.space.layout, granularity, CONFIG);
  const count = startCoefficients(place.space, kind, 0).values.length;
  return {
    place,
    layout,
    coefficients: sequence(`coefficients/${kind}`, count, 0.1, 0.3),
    logits: NAMES.map((name) => mergedSequence(`logits/${name}`).slice(0, layout.logits)),
    noise: NAMES.map((name) => fixtureNoise(name, 0).slice(0, layout.logits)),
    images: fixtureBatches("gradient", 0),
  };
}
type Setting = ReturnType<typeof setting>;

/** The loss and, in closed form, all its gradients. */
async function gradientsOf({ place, layout, coefficients, logits, noise, images }: Setting, kind: CoefficientGranularity) {
  const masks = logits.map((values, k) => relaxMask(layout, values, noise[k]!));
  const factors = composeMasks(layout, masks);
  const combined = combineTaskVectors(place.space, { granularity: kind, values: coefficients });
  const pass = await place.tower.pass(mergeMasked(place.space, combined, factors), images, { loss: LOSS, pixels: true });
  const byElement = maskGradient(pass.gradient, combined);
  return {
    loss: pass.loss,
    coefficients: coefficientGradient(place.space, kind, pass.gradient, factors),
    shared: logitGradient(layout, masks[0]!, byElement, [masks[1]!]),
    backdoor: logitGradient(layout, masks[1]!, byElement, [masks[0]!]),
    pixels: Float32Array.from(pass.pixelGradients.flatMap((gradient) => [...gradient])),
  };
}

/** Difference quotient of the loss along a direction in `values`, which are put back. */
async function slopeAlong(values: Float32Array, direction: Float32Array, loss: () => Promise<number>, step: number): Promise<number> {
  const start = values.slice();
  const at = (factor: number): Promise<number> => {
    values.forEach((_, i) => (values[i] = start[i]! + factor * direction[i]!));
    return loss();
  };
  const slope = ((await at(step)) - (await at(-step))) / (2 * step);
  values.set(start);
  return slope;
}

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

describe("closed-form gradients", () => {
  before(async () => void (await startEngine()));

  for (const kind of ["layer", "task"] as const) {
    it(`coefficientGradient() and logitGradient() equal PyTorch's autograd through the merge, ${kind}-wise`, async () => {
      const expected = await readFixture("gradients");
      const before = tf.memory().numTensors;
      const found = setting(kind, "weight");
      const gradients = await gradientsOf(found, kind);
      assert.equal(tf.memory().numTensors, before);
      assert.ok(Math.abs(gradients.loss / expected.get(`${kind}/loss`)![0]! - 1) < 1e-5);
      for (const name of ["coefficients", "shared", "backdoor", "pixels"] as const) {
        const error = relativeError(gradients[name], expected.get(`${kind}/${name}`)!);
        assert.ok(error < 1e-5, `${name}: ${error}`);
      }
    });
  }

  for (const granularity of ["weight", "neuron", "head", "layer"] as const) {
    it(`logitGradient() and coefficientGradient() equal difference quotients with one logit a ${granularity}`, async () => {
      const found = setting("layer", granularity);
      const gradients = await gradientsOf(found, "layer");
      const lossNow = async () => (await gradientsOf(found, "layer")).loss;
      const cases = [
        ["coefficients", found.coefficients, gradients.coefficients],
        ["shared", found.logits[0]!, gradients.shared],
        ["backdoor", found.logits[1]!, gradients.backdoor],
      ] as const;
      for (const [name, values, gradient] of cases) {
        // Along the gradient itself the slope is its norm: the largest there is, so float32 noise matters least.
        const norm = Math.sqrt(dot(gradient, gradient));
        assert.ok(norm > 1e-3, `${name} has no gradient`);
        const direction = gradient.map((value) => value / norm);
        const slope = await slopeAlong(values, direction, lossNow, 0.02);
        assert.ok(Math.abs(slope / norm - 1) < 1e-2, `${name}: ${slope} instead of ${norm}`);
      }
    });
  }

  it("AdaptationTower.pass() gives the pixels' gradient as the difference quotient does", async () => {
    const found = setting("task", "layer");
    const gradients = await gradientsOf(found, "task");
    const pixels = found.images[1]!;
    const gradient = gradients.pixels.slice(pixels.length, 2 * pixels.length);
    const norm = Math.sqrt(dot(gradient, gradient));
    const direction = gradient.map((value) => value / norm);
    const slope = await slopeAlong(pixels, direction, async () => (await gradientsOf(found, "task")).loss, 0.02);
    assert.ok(Math.abs(slope / norm - 1) < 1e-2, `${slope} instead of ${norm}`);
  });
});
