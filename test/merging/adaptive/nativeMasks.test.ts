import assert from "node:assert/strict";
import { probeEngines, randomStream, startEngine } from "../../../src/engine";
import {
  composeMasks,
  createMergeSpace,
  layoutMask,
  logitGradient,
  maskDensity,
  maskGradient,
  relaxMask,
} from "../../../src/merging/adaptive";
import { startAdam, stepAdam } from "../../../src/training";
import { CONFIG, PRETRAINED, VECTORS } from "../../dam/pico";
import { TENSORFLOW_ENGINE } from "../../engine/tensorflowEngine";
import { skipBecause } from "../../skip";

const mask = layoutMask(createMergeSpace(PRETRAINED, VECTORS).layout, "weight", CONFIG);
const numbers = (name: string): Float32Array => randomStream(4, name).normals(mask.logits);

function compute(): Record<string, ArrayLike<number>> {
  const [first, second] = [relaxMask(mask, numbers("first"), null), relaxMask(mask, numbers("second"), numbers("noise"), 0.7)];
  const factors = composeMasks(mask, [first, second])!;
  const gradient = maskGradient(numbers("gradient"), numbers("combined"));
  const slopes = [logitGradient(mask, first, gradient, [second]), logitGradient(mask, second, gradient)];
  const [trained, adam] = [numbers("trained"), startAdam(mask.logits)];
  for (let step = 0; step < 3; step++) stepAdam(trained, numbers(`slope ${step}`), adam, 0.01);
  return { factors, gradient, one: slopes[0]!, other: slopes[1]!, trained, density: [maskDensity(mask, numbers("first"))] };
}

describe("masks on engine native", () => {
  after(async () => void (await startEngine(process.env["DAMLAB_ENGINE"] ?? "auto")));

  it("relaxMask(), composeMasks(), logitGradient(), maskGradient(), maskDensity() and stepAdam() agree with cpu within 1e-5", async function () {
    const { available, reason } = probeEngines().find(({ name }) => name === TENSORFLOW_ENGINE)!;
    if (!available) skipBecause(this, `engine ${TENSORFLOW_ENGINE} is ${reason}`);
    await startEngine("cpu");
    const expected = compute();
    await startEngine(TENSORFLOW_ENGINE);
    for (const [name, found] of Object.entries(compute())) {
      const right = expected[name]!;
      const largest = Array.from(right).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      for (let i = 0; i < right.length; i++) assert.ok(Math.abs(found[i]! - right[i]!) <= 1e-5 * largest, `${name} ${i}`);
    }
  });
});
