import * as assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { startEngine } from "../../src/engine";
import { fileStore } from "../../src/merging/adaptive";
import { DAM_DEFAULTS, dam, labelOptionsOf, makeLabelModel, runDam, type DamContext, type DamOptions } from "../../src/dam";
import { bytesOf, checkSeeds, CONTEXT, PRETRAINED } from "./pico";

const SHORT = { steps: 4, finalAdaptSteps: 2, labelSteps: 2, batchSize: 4, stickerMin: 2, stickerMax: 3, maskLearningRate: 0.1 } as const;
const run = (options: Partial<DamOptions> = {}, changes: Partial<DamContext> = {}) =>
  runDam({ ...CONTEXT, ...changes }, { ...SHORT, ...options });

describe("runDam()", () => {
  before(async () => void (await startEngine()));

  it("runDam() gives the same bytes for the same seed, others for another, and leaves no tensors", async () => {
    await checkSeeds((changes) => run({}, changes));
  });

  for (const changes of [{}, { sharePasses: false }, { variant: "joint" }] as const) {
    it(`runDam() gives the same bytes beside another run: ${JSON.stringify(changes)}`, async () => {
      const runs = [() => run(changes), () => run({ ...changes, alpha: 3 }, { seed: 1 })];
      const alone = [await runs[0]!(), await runs[1]!()];
      const beside = await Promise.all(runs.map((start) => start()));
      for (const [index, { parameters, beforeFinal, mask }] of beside.entries()) {
        assert.equal(bytesOf(parameters), bytesOf(alone[index]!.parameters));
        assert.equal(bytesOf(beforeFinal.parameters), bytesOf(alone[index]!.beforeFinal.parameters));
        assert.deepEqual(mask, alone[index]!.mask);
      }
    });
  }

  for (const changes of [{}, { sharePasses: false }, { variant: "joint" }, { anchor: 0.5 }] as const) {
    it(`runDam() gives the same bytes with alpha 0 as without safety, but not with alpha 1: ${JSON.stringify(changes)}`, async () => {
      const zero = await run({ ...changes, alpha: 0 });
      const none = await run({ ...changes, safety: "none" });
      const one = await run({ ...changes, alpha: 1 });
      assert.equal(bytesOf(zero.parameters), bytesOf(none.parameters));
      assert.equal(bytesOf(zero.beforeFinal.parameters), bytesOf(none.beforeFinal.parameters));
      assert.notEqual(bytesOf(one.parameters), bytesOf(none.parameters));
    });
  }

  it("runDam() does not look at labels, even where there are some", async () => {
    const labelled = (shift: number) =>
      CONTEXT.tasks.map((task) => ({
        ...task,
        images: { ...task.images, labels: Uint8Array.from({ length: 24 }, (_, i) => (i + shift) % 3) },
      }));
    const [first, permuted] = [await run({ steps: 2 }, { tasks: labelled(0) }), await run({ steps: 2 }, { tasks: labelled(1) })];
    assert.equal(bytesOf(first.parameters), bytesOf(permuted.parameters));
  });

  for (const changes of [{ alpha: 1 }, { alpha: 3, anchor: 0, trainingMask: "sample" }, { coefficients: "task" }] as const) {
    it(`runDam() gives the same bytes with an f_0 that was made before: ${JSON.stringify(changes)}`, async () => {
      // Made without the α, the anchor and the kind of mask of the run that takes it.
      const labelOptions = labelOptionsOf({ ...DAM_DEFAULTS, ...SHORT, ...("coefficients" in changes && changes) })!;
      const labelCoefficients = await makeLabelModel(CONTEXT, labelOptions);
      const [whole, shared] = [await run(changes), await run(changes, { labelCoefficients })];
      assert.equal(bytesOf(shared.parameters), bytesOf(whole.parameters));
      assert.equal(bytesOf(shared.beforeFinal.parameters), bytesOf(whole.beforeFinal.parameters));
      assert.equal(shared.iterations, SHORT.steps);
      assert.deepEqual(shared.history, whole.history.slice(SHORT.labelSteps));
    });
  }

  it("runDam() refuses an f_0 of other models", async () => {
    const labelCoefficients = new Float32Array(3);
    await assert.rejects(run({}, { labelCoefficients }), /Cannot take over f_0: expected \d+ coefficients for these models, got 3/);
  });

  it("labelOptionsOf() gives null where DAM makes no f_0", () => {
    const none = [{ pseudoLabels: "task_arithmetic" }, { variant: "joint", referenceCompat: true }, { safety: "none", anchor: 0 }] as const;
    for (const changes of none) assert.equal(labelOptionsOf({ ...DAM_DEFAULTS, ...changes }), null);
    assert.ok(!("alpha" in labelOptionsOf(DAM_DEFAULTS)!));
  });

  it("runDam() changes nothing but the merged parameters", async () => {
    const { parameters } = await run();
    assert.deepEqual([...parameters.keys()], [...PRETRAINED.keys()]);
    assert.equal(parameters.get("visual_projection.weight"), PRETRAINED.get("visual_projection.weight"));
    for (const { values } of parameters.values()) assert.ok(values.every(Number.isFinite));
  });

  it("runDam() trains the masks that it is asked for", async () => {
    const names = async (masks: DamOptions["masks"]) => [...(await run({ masks, steps: 2 })).maskLogits.keys()];
    assert.deepEqual(await names("both"), ["shared", "backdoor"]);
    assert.deepEqual(await names("shared"), ["shared"]);
    assert.deepEqual(await names("backdoor"), ["backdoor"]);
    assert.deepEqual(await names("none"), []);
    const { maskLogits } = await run({ steps: 1 });
    // The first iteration is M1's.
    assert.ok(maskLogits.get("shared")!.some((value) => value !== 0));
    assert.ok(maskLogits.get("backdoor")!.every((value) => value === 0));
  });

  it("runDam() without steps is Task Arithmetic", async () => {
    const { parameters, mask } = await run({ steps: 0, finalAdaptSteps: 0 });
    assert.ok(mask!.every((factor) => factor === 1));
    const [name, { values }] = [...parameters][5]!;
    const expected = PRETRAINED.get(name)!.values.map(
      (value, i) =>
        value + CONTEXT.taskVectors.reduce((sum, vector) => sum + DAM_DEFAULTS.initialCoefficient * vector.get(name)!.values[i]!, 0),
    );
    values.forEach((value, i) => assert.ok(Math.abs(value - expected[i]!) < 1e-6));
  });

  for (const options of [
    { perturbation: "noise", noiseNorm: "l2", noiseRadius: 1 },
    { perturbation: "noise", candidates: 2 },
    { candidates: 2, ascentSteps: 2 },
    { granularity: "neuron", trainingMask: "mean" },
    { granularity: "head", evaluationMask: "sample" },
    { granularity: "layer", evaluationMask: "threshold" },
    { pseudoLabels: "task_arithmetic", coefficients: "task", clamp: true },
  ] as const) {
    it(`runDam() runs with ${JSON.stringify(options)}`, async () => {
      const { parameters, history } = await run({ ...options, steps: 2 });
      for (const { values } of parameters.values()) assert.ok(values.every(Number.isFinite));
      assert.ok(history.some((losses) => losses["safety"]! > 0));
    });
  }

  it("runDam() goes on after an interrupt at any stage to the same bytes", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "damlab-dam-"));
    try {
      const whole = bytesOf((await run()).parameters);
      for (const stopAt of [1, 4, 7]) {
        const store = fileStore(path.join(folder, `state-${stopAt}.safetensors`), "key");
        const controller = new AbortController();
        const progress = { start: () => ({ update: ({ step }: { step: number }) => step === stopAt && controller.abort(), finish() {} }) };
        const part = await run({}, { store, signal: controller.signal, progress, whenInterrupted: "return" });
        assert.equal(part.completed, false);
        assert.ok([...part.parameters.values()].every(({ values }) => values.every(Number.isFinite)));
        const rest = await run({}, { store });
        assert.equal(bytesOf(rest.parameters), whole, `after step ${stopAt}`);
        assert.equal(rest.history.length, 8);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("runDam() throws the reason of an interrupt unless asked for the result so far", async () => {
    await assert.rejects(run({}, { signal: AbortSignal.abort(new Error("stop here")) }), /^Error: stop here$/);
  });

  it("runDam() names the option that is wrong", async () => {
    await assert.rejects(run({ alpha: -1 }), /^RangeError: Cannot merge by "dam": expected "options.alpha" to be at least 0, got -1$/);
    await assert.rejects(run({ alpah: 1 } as Partial<DamOptions>), /^TypeError: .*alpha/);
    await assert.rejects(run({ referenceCompat: true }), /"options.referenceCompat" to be false unless "variant" is "joint"/);
    await assert.rejects(run({ stickerMin: 5 }), /"options.stickerMax" to be at least "stickerMin"/);
    await assert.rejects(run({ stickerMax: 9 }), /^RangeError: Cannot make stickers of 9 pixels: expected at most the image's 8$/);
  });

  it("dam.merge() is the row of the method table", async () => {
    const merged = await dam.merge(CONTEXT, dam.options.parse(SHORT));
    assert.equal(bytesOf(merged.parameters), bytesOf((await run()).parameters));
  });
});
