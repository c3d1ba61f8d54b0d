import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { cosineLearningRate, train, type TrainingRun } from "../../src/training";

/** Least squares towards 1 … n; the gradient depends on the step too, so that a repeated or skipped step shows. */
function run(steps: number, onStep: (step: number) => void = () => {}): TrainingRun {
  return {
    name: "least squares",
    parameters: new Float32Array(4),
    steps,
    learningRate: () => 0.05,
    computeGradient(step, parameters) {
      onStep(step);
      return { gradient: parameters.map((value, i) => (value - i) * (1 + (step % 3))), losses: { loss: 0 } };
    },
  };
}

describe("train()", () => {
  let folder: string;
  beforeEach(async () => void (folder = await mkdtemp(path.join(os.tmpdir(), "damlab-train-"))));
  afterEach(async () => rm(folder, { recursive: true }));
  const saved = (key = "k", every = 5) => ({ file: path.join(folder, "state.safetensors"), every, key });

  it("train() converges and leaves the start as it was", async () => {
    const task = run(400);
    const trained = await train(task);
    trained.forEach((value, i) => assert.ok(Math.abs(value - i) < 0.05, `${value}`));
    assert.deepEqual(task.parameters, new Float32Array(4));
  });

  it("train() goes on from its saved state to the same bytes, wherever it was stopped", async () => {
    const whole = await train(run(23));
    for (const stopAt of [1, 5, 12, 21]) {
      const controller = new AbortController();
      const stop = (step: number): void => (step === stopAt ? controller.abort(new Error("stopped")) : undefined);
      await assert.rejects(train(run(23, stop), { saved: saved(`k${stopAt}`), signal: controller.signal }), /stopped/);
      const steps: number[] = [];
      const resumed = await train(
        run(23, (step) => void steps.push(step)),
        { saved: saved(`k${stopAt}`) },
      );
      assert.deepEqual(resumed, whole);
      assert.equal(steps[0], stopAt + 1);
    }
  });

  it("train() starts anew when the saved state is of another run or unreadable", async () => {
    const whole = await train(run(7));
    await train(run(12), { saved: saved("another") });
    assert.deepEqual(await train(run(7), { saved: saved("own") }), whole);
    await writeFile(saved().file, "not safetensors");
    assert.deepEqual(await train(run(7), { saved: saved() }), whole);
  });

  it("train() clips gradients and projects parameters when asked to", async () => {
    const limited = await train({
      ...run(50),
      project: (parameters) => parameters.forEach((value, i) => (parameters[i] = Math.min(value, 0.25))),
    });
    assert.ok(limited.every((value) => value <= 0.25));
    let norm = 0;
    await train({
      ...run(1),
      clipNorm: 1e-3,
      computeGradient: () => ({ gradient: new Float32Array(4).fill(1), losses: {} }),
      adam: { epsilon: 1 }, // with a large ε the step shows the gradient's size: 0.05 · 5e-4 / (5e-4 + 1)
      project: (parameters) => (norm = Math.abs(parameters[0]!)),
    });
    assert.ok(Math.abs(norm - (0.05 * 5e-4) / (5e-4 + 1)) < 1e-7, `${norm}`);
  });
});

describe("cosineLearningRate()", () => {
  const schedule = { peak: 2, warmup: 4, steps: 12 };

  it("cosineLearningRate() rises linearly to the peak and falls along half a cosine", () => {
    assert.equal(cosineLearningRate(0, schedule), 0.5);
    assert.equal(cosineLearningRate(3, schedule), 2);
    assert.equal(cosineLearningRate(4, schedule), 2);
    // half way down: 2 · (1 + cos(π / 2)) / 2 = 1
    assert.ok(Math.abs(cosineLearningRate(8, schedule) - 1) < 1e-12);
    assert.ok(cosineLearningRate(11, schedule) > 0);
  });
});
