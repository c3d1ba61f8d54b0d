import * as assert from "node:assert/strict";
import { probeEngines, startEngine } from "../../src/engine";
import {
  adaptReleasedCoefficients,
  ascendReleasedPerturbations,
  DAM_DEFAULTS,
  openReleasedRun,
  runDam,
  sampleMasks,
  updateReleasedMask,
} from "../../src/dam";
import { TENSORFLOW_ENGINE } from "../engine/tensorflowEngine";
import { skipBecause } from "../skip";
import { CONTEXT, fixtureBatches, fixtureNoise, readFixture, relativeError } from "./pico";

const OPTIONS = { ...DAM_DEFAULTS, variant: "joint", referenceCompat: true } as const;

describe("the released algorithm", () => {
  after(async () => void (await startEngine("wasm")));

  for (const engine of ["cpu", "wasm", TENSORFLOW_ENGINE] as const) {
    it(`openReleasedRun() gives λ, δ and Z of each phase of five steps as PyTorch does, on engine ${engine}`, async function () {
      const { available, reason } = probeEngines().find(({ name }) => name === engine)!;
      if (!available) skipBecause(this, `engine ${engine} is ${reason}`);
      await startEngine(engine);
      const expected = await readFixture("released");
      const run = openReleasedRun({ ...CONTEXT, batches: fixtureBatches, maskNoise: fixtureNoise }, OPTIONS);
      const { coefficients, perturbations, masks } = run.variables;
      const check = (step: number, name: string, values: Float32Array): void => {
        const error = relativeError(values, expected.get(`${step}/${name}`)!);
        assert.ok(error < 1e-5, `${name} of step ${step}: ${error}`);
      };
      for (let step = 0; step < 5; step++) {
        const sampled = sampleMasks(run, step);
        await adaptReleasedCoefficients(run, sampled, step);
        check(step, "coefficients", coefficients.values);
        await ascendReleasedPerturbations(run, sampled, step);
        check(step, "perturbations", perturbations.values);
        const { performance, safety } = await updateReleasedMask(run, sampled, step);
        check(step, "mask", masks.get("backdoor")!.values);
        check(step, "loss", Float32Array.of(performance! + 0.1 * safety!));
      }
    });
  }

  it("runDam() runs it to the end, with λ put back to 0.3 before the final stage", async () => {
    await startEngine("wasm");
    const options = { variant: "joint", referenceCompat: true, steps: 2, batchSize: 4 } as const;
    const { coefficients, beforeFinal } = await runDam(CONTEXT, { ...options, finalAdaptSteps: 1 });
    // One step of Adam at rate 0.001 moves by that.
    for (const value of coefficients.values) assert.ok(Math.abs(Math.abs(value - 0.3) - 1e-3) < 1e-5, String(value));
    assert.notDeepEqual(beforeFinal.coefficients.values, coefficients.values);
  });
});
