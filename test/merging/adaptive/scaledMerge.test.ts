import * as assert from "node:assert/strict";
import { startEngine } from "../../../src/engine";
import {
  combineTaskVectors,
  createMergeSpace,
  mergedParameters,
  mergeMasked,
  runAdaMerging,
  scaledMerge,
} from "../../../src/merging/adaptive";
import { bytesOf, CONTEXT, PRETRAINED, VECTORS } from "../../dam/pico";

describe("scaledMerge()", () => {
  before(async () => void (await startEngine()));

  it("scaledMerge() gives the merge itself at 1 and the pretrained model at 0", async () => {
    const merged = await runAdaMerging(CONTEXT, "layer", { steps: 2, batchSize: 4 });
    assert.equal(bytesOf(scaledMerge(CONTEXT, merged, 1)), bytesOf(merged.parameters));
    assert.equal(bytesOf(scaledMerge(CONTEXT, merged, 0)), bytesOf(PRETRAINED));
  });

  it("scaledMerge() is the merge at scaled coefficients under the same mask", () => {
    const space = createMergeSpace(PRETRAINED, VECTORS);
    const values = Float32Array.of(0.2, 0.5, -0.1);
    const mask = Float32Array.from({ length: space.length }, (_, i) => i % 3);
    const at = (factor: number) =>
      mergeMasked(space, combineTaskVectors(space, { granularity: "task", values: values.map((value) => factor * value) }), mask);
    const scaled = scaledMerge(CONTEXT, { parameters: mergedParameters(space, at(1)) }, 0.6);
    // float32: both sides are rounded once or twice at magnitudes below 4.
    const expected = mergedParameters(space, at(0.6));
    for (const [name, { values: found }] of scaled) {
      found.forEach((value, i) => assert.ok(Math.abs(value - expected.get(name)!.values[i]!) < 1e-6, name));
    }
  });

  it("scaledMerge() names what the merged model lacks", () => {
    const parameters = new Map(PRETRAINED);
    const name = [...parameters.keys()].find((key) => key.startsWith("vision_model."))!;
    parameters.delete(name);
    assert.throws(() => scaledMerge(CONTEXT, { parameters }, 0.5), new RegExp(`^TypeError: Cannot merge "${name}": .*the merged model$`));
    assert.throws(() => scaledMerge(CONTEXT, { parameters: PRETRAINED }, NaN), /^RangeError: Cannot scale/);
  });
});
