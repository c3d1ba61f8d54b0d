import * as assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { startEngine } from "../../../src/engine";
import type { NamedTensors } from "../../../src/checkpoints";
import { mergeParameters, parseOptions, taskArithmetic, ties } from "../../../src/merging";
import {
  adaMerging,
  coefficientGradient,
  combineTaskVectors,
  concreteAdaMerging,
  concreteTaskArithmetic,
  createAdaptationWorkers,
  createMergeSpace,
  entropyLoss,
  mergedParameters,
  mergeMasked,
  openWorkplace,
  runAdaMerging,
  startCoefficients,
  testTimeMethods,
  tiesTaskVectors,
} from "../../../src/merging/adaptive";
import { bytesOf, CONTEXT, fixtureBatches, PRETRAINED, readFixture, relativeError, VECTORS } from "../../dam/pico";

const space = createMergeSpace(PRETRAINED, VECTORS);
const close = (a: NamedTensors, b: NamedTensors): void => {
  for (const [name, { values }] of a) {
    const other = b.get(name)!.values;
    values.forEach((value, i) => assert.ok(Math.abs(value - other[i]!) < 1e-6, name));
  }
};

describe("runAdaMerging()", () => {
  before(async () => void (await startEngine()));

  for (const kind of ["layer", "task"] as const) {
    it(`runAdaMerging() gives the ${kind}-wise coefficients that FusionBench's rule gives in PyTorch`, async () => {
      const expected = await readFixture("adamerging");
      const place = openWorkplace(CONTEXT, 4);
      const start = combineTaskVectors(place.space, startCoefficients(place.space, kind, 0.3));
      const { gradient } = await place.tower.pass(mergeMasked(place.space, start, null), fixtureBatches("coefficients", 0), {
        loss: entropyLoss,
      });
      assert.ok(relativeError(coefficientGradient(place.space, kind, gradient, null), expected.get(`${kind}/gradient`)!) < 1e-5);
      const before = tf.memory().numTensors;
      const { coefficients } = await runAdaMerging({ ...CONTEXT, batches: fixtureBatches }, kind, { steps: 20, learningRate: 1e-3 });
      assert.equal(tf.memory().numTensors, before);
      assert.ok(relativeError(coefficients.values, expected.get(`${kind}/coefficients`)!) < 1e-5);
    });
  }

  it("runAdaMerging() without steps is Task Arithmetic, and with coefficients of 0 the pretrained model", async () => {
    const { parameters } = await runAdaMerging(CONTEXT, "layer", { steps: 0 });
    close(parameters, mergeParameters(taskArithmetic, PRETRAINED, { taskVectors: VECTORS }));
    const nothing = await runAdaMerging(CONTEXT, "task", { steps: 0, initialCoefficient: 0 });
    assert.equal(bytesOf(nothing.parameters), bytesOf(PRETRAINED));
  });

  it("runAdaMerging() keeps coefficients in [0, 1] if asked to", async () => {
    const settings = { steps: 3, batchSize: 4, learningRate: 1 };
    const free = await runAdaMerging(CONTEXT, "layer", settings);
    const kept = await runAdaMerging(CONTEXT, "layer", { ...settings, clamp: true });
    assert.ok(free.coefficients.values.some((value) => value < 0 || value > 1));
    assert.ok(kept.coefficients.values.every((value) => value >= 0 && value <= 1));
  });

  it("runAdaMerging() with ++ starts from the Ties merge of the task vectors", async () => {
    const { parameters } = await runAdaMerging(CONTEXT, "layer", { steps: 0, plusPlus: true, density: 0.4 });
    close(parameters, mergeParameters(ties, PRETRAINED, { taskVectors: VECTORS }, { density: 0.4 }));
    const kept = tiesTaskVectors(VECTORS, 0.4).map((vector) =>
      [...vector.values()].reduce((sum, { values }) => sum + values.filter(Boolean).length, 0),
    );
    assert.ok(kept.every((count) => count <= 0.4 * space.length + 1));
  });

  it("runAdaMerging() refuses tasks that do not fit", async () => {
    const tasks = CONTEXT.tasks.slice(1);
    await assert.rejects(
      runAdaMerging({ ...CONTEXT, tasks }, "task"),
      /^TypeError: Cannot adapt a merge: expected one task a task vector, got 2 for 3$/,
    );
    const wrong = { ...CONTEXT.tasks[0]!, images: { ...CONTEXT.tasks[0]!.images, height: 4 } };
    await assert.rejects(
      runAdaMerging({ ...CONTEXT, tasks: [wrong, ...tasks] }, "task"),
      /^TypeError: Cannot adapt a merge on task "task0": expected images \[3, 8, 8\], got \[3, 4, 8\]$/,
    );
  });
});

describe("mergeMasked()", () => {
  it("mergeMasked() is not changed by a mask of ones", () => {
    const combined = combineTaskVectors(space, startCoefficients(space, "layer", 0.3));
    const ones = new Float32Array(space.length).fill(1);
    assert.deepEqual(mergeMasked(space, combined, ones), mergeMasked(space, combined, null));
  });

  it("mergedParameters() keeps what is not merged", () => {
    const merged = mergedParameters(space, mergeMasked(space, new Float32Array(space.length), null));
    assert.equal(merged.get("visual_projection.weight"), PRETRAINED.get("visual_projection.weight"));
    assert.equal(bytesOf(merged), bytesOf(PRETRAINED));
  });
});

describe("concrete masks", () => {
  before(async () => void (await startEngine()));

  for (const method of [concreteTaskArithmetic, concreteAdaMerging]) {
    it(`${method.name}.merge() lowers the entropy and depends on its seed alone`, async () => {
      const before = tf.memory().numTensors;
      const options = parseOptions<never>(method as never, {
        steps: 12,
        batchSize: 24,
        maskLearningRate: 0.1,
        ...(method === concreteAdaMerging && { finalAdaptSteps: 2 }),
      });
      const merge = (seed: number) => method.merge({ ...CONTEXT, seed }, options);
      const [first, again, other] = [await merge(0), await merge(0), await merge(1)];
      assert.equal(tf.memory().numTensors, before);
      assert.equal(bytesOf(first.parameters), bytesOf(again.parameters));
      assert.notEqual(bytesOf(first.parameters), bytesOf(other.parameters));
      const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
      const entropies = first.history.map((losses) => losses["entropy"]!);
      assert.ok(mean(entropies.slice(-4)) < mean(entropies.slice(0, 4)), entropies.join());
    });
  }

  it("testTimeMethods lists every method with valid defaults", () => {
    assert.deepEqual(
      testTimeMethods.map(({ name }) => name),
      ["adamerging", "adamerging_taskwise", "concrete_task_arithmetic", "concrete_adamerging"],
    );
    for (const method of testTimeMethods) assert.deepEqual(parseOptions(method, {}), method.defaults);
    assert.throws(() => parseOptions(adaMerging, { step: 3 }), /steps/);
  });
});

describe("createAdaptationWorkers()", () => {
  it("createAdaptationWorkers() gives threads that compute the same bytes", async () => {
    await startEngine("wasm");
    const settings = { steps: 2, batchSize: 5 };
    const here = await runAdaMerging(CONTEXT, "layer", settings);
    const workers = await createAdaptationWorkers();
    try {
      const there = await runAdaMerging({ ...CONTEXT, workers }, "layer", settings);
      assert.equal(bytesOf(there.parameters), bytesOf(here.parameters));
      const place = openWorkplace({ ...CONTEXT, workers }, 5);
      const alone = openWorkplace(CONTEXT, 5);
      const theta = mergeMasked(space, combineTaskVectors(space, here.coefficients), null);
      const images = alone.batches("phase", 0);
      assert.deepEqual(await place.tower.classify(theta, images), await alone.tower.classify(theta, images));
    } finally {
      await workers.close();
    }
  });
});
