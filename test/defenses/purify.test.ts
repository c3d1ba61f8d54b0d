import * as assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { excessOf, isSuspect, openPatient, PURIFY_DEFAULTS, runPurify, type PurifyOptions } from "../../src/defenses";
import { startEngine } from "../../src/engine";
import {
  createAdaptationWorkers,
  expandMask,
  fileStore,
  gateGradient,
  layoutMask,
  maskGradient,
  meanGate,
  mergeMasked,
  openGates,
  runAdaMerging,
  type MaskGranularity,
} from "../../src/merging/adaptive";
import { bytesOf, checkSeeds, CONFIG, CONTEXT, TASKS } from "../dam/pico";

const SHORT = {
  inspectSteps: 3,
  purgeSteps: 3,
  purgeBatchSize: 4,
  candidates: 2,
  stickerMin: 2,
  stickerMax: 3,
  mergeSteps: 2,
  batchSize: 4,
  purge: "all",
} as const;
const run = (options: Partial<PurifyOptions> = {}, changes: Partial<typeof CONTEXT> = {}) =>
  runPurify({ ...CONTEXT, ...changes }, { ...SHORT, ...options });

describe("runPurify()", () => {
  before(async () => void (await startEngine()));

  it("runPurify() gives the same bytes for the same seed, others for another, and leaves no tensors", async () => {
    const first = await checkSeeds((changes) => run({}, changes));
    assert.equal(first.inspections.length, TASKS);
    for (const { capture, target } of first.inspections) assert.ok(capture >= 0 && capture <= 1 && Number.isInteger(target));
  });

  it("runPurify() treats each model as if it were alone", async () => {
    const together = await run();
    for (let index = 0; index < TASKS; index++) {
      const alone = await run({}, { taskVectors: [CONTEXT.taskVectors[index]!], tasks: [CONTEXT.tasks[index]!] });
      assert.deepEqual(alone.inspections[0], together.inspections[index]);
      assert.equal(bytesOf(alone.taskVectors[0]!), bytesOf(together.taskVectors[index]!));
    }
  });

  it("runPurify() only takes away: each purified element has its sign and is no longer than before", async () => {
    const { taskVectors } = await run();
    for (const [index, vector] of taskVectors.entries()) {
      for (const [name, { values }] of vector) {
        const original = CONTEXT.taskVectors[index]!.get(name)!.values;
        values.forEach((value, i) => assert.ok(value * original[i]! >= 0 && Math.abs(value) <= Math.abs(original[i]!)));
      }
    }
  });

  it("runPurify() purges suspects alone where it is told to, and no suspects means plain AdaMerging", async () => {
    const none = await run({ purge: "suspects", suspectExcess: 1, ascentRate: 1e-6 });
    assert.deepEqual(
      none.inspections.map(({ suspect }) => suspect),
      [false, false, false],
      JSON.stringify(none.inspections),
    );
    const { mergeSteps: steps, batchSize } = SHORT;
    const { initialCoefficient, learningRate } = PURIFY_DEFAULTS;
    const plain = await runAdaMerging(CONTEXT, "layer", { steps, batchSize, initialCoefficient, learningRate });
    assert.equal(bytesOf(none.parameters), bytesOf(plain.parameters));
    const captures = none.inspections.map(excessOf);
    const limit = Math.max(...captures);
    assert.ok(limit > 0, JSON.stringify(captures));
    const some = await run({ purge: "suspects", suspectExcess: limit, ascentRate: 1e-6 });
    for (const [index, vector] of some.taskVectors.entries()) {
      assert.equal(some.inspections[index]!.suspect, captures[index] === limit);
      assert.equal(vector === CONTEXT.taskVectors[index], captures[index] !== limit);
    }
  });

  it("runPurify() takes what plain rectangles do into account where it is told to", async () => {
    const quiet = { purge: "suspects", suspectExcess: 1, ascentRate: 1e-6 } as const;
    const unasked = await run(quiet);
    assert.ok(unasked.inspections.every(({ plainExcess }) => plainExcess === 0));
    const asked = await run({ ...quiet, suspectOverPlain: 1e-6 });
    assert.ok(
      asked.inspections.some(({ plainExcess }) => plainExcess > 0),
      JSON.stringify(asked.inspections),
    );
    for (const [index, inspection] of asked.inspections.entries()) {
      assert.equal(inspection.suspect, excessOf(inspection) - inspection.plainExcess >= 1e-6);
      assert.equal(asked.taskVectors[index] === CONTEXT.taskVectors[index], !inspection.suspect);
    }
  });

  it("isSuspect() subtracts plain rectangles from the lower threshold's excess, not from the higher one's", () => {
    const found = { capture: 0.8, pretrainedCapture: 0.2, plainExcess: 0.3 };
    const suspect = (suspectExcess: number, suspectOverPlain: number) => isSuspect(found, { suspectExcess, suspectOverPlain });
    assert.deepEqual([suspect(0.5, 1), suspect(0.7, 0.2), suspect(0.7, 0.4), suspect(0.7, 1)], [true, true, false, false]);
  });

  it("runPurify() with alpha 0 looks at no sticker while it purges", async () => {
    const zero = await run({ alpha: 0 });
    assert.ok(zero.history.every((numbers) => !("safety" in numbers)));
    const other = await run({ alpha: 0, ascentRate: 0.5, inspectSteps: 4 });
    assert.equal(bytesOf(zero.taskVectors[0]!), bytesOf(other.taskVectors[0]!));
    assert.notEqual(bytesOf(zero.taskVectors[0]!), bytesOf((await run()).taskVectors[0]!));
  });

  it("runPurify() goes on from a saved state to the same bytes, wherever it was stopped", async () => {
    const whole = await run();
    const folder = await mkdtemp(path.join(tmpdir(), "damlab-purify-"));
    try {
      for (const stop of [1, 3, 5, 6, 9, 19]) {
        const store = fileStore(path.join(folder, `${stop}.safetensors`), "key");
        const controller = new AbortController();
        let steps = 0;
        const progress = { start: () => ({ update: () => void (++steps === stop && controller.abort()), finish: () => undefined }) };
        const halted = await run({}, { store, signal: controller.signal, progress: progress as never, whenInterrupted: "return" });
        assert.equal(halted.completed, false);
        assert.equal(halted.history.length, stop);
        const resumed = await run({}, { store });
        assert.equal(bytesOf(resumed.parameters), bytesOf(whole.parameters), `stopped after ${stop}`);
        assert.deepEqual(resumed.inspections, whole.inspections);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("runPurify() gives the same bytes with workers", async () => {
    const workers = await createAdaptationWorkers();
    try {
      assert.equal(bytesOf((await run({}, { workers })).parameters), bytesOf((await run()).parameters));
    } finally {
      await workers.close();
    }
  });

  it("runPurify() refuses options that don't fit", async () => {
    await assert.rejects(run({ stickerMin: 5, stickerMax: 3 }), /stickerMax.*at least "stickerMin"/s);
    await assert.rejects(run({ candidates: 8 }), /candidates.*at most "purgeBatchSize"/s);
    await assert.rejects(run({ stickerMax: 40 }), RangeError);
  });
});

describe("gateGradient()", () => {
  before(async () => void (await startEngine("cpu")));
  after(async () => void (await startEngine()));

  for (const granularity of ["weight", "neuron", "head", "layer"] as MaskGranularity[]) {
    it(`gateGradient() agrees with finite differences, by ${granularity}`, async () => {
      const { place, vector, classes } = await openPatient(CONTEXT, { ...PURIFY_DEFAULTS, ...SHORT }, 0);
      const layout = layoutMask(place.space.layout, granularity, CONFIG);
      const images = place.batches("test", 0);
      const labels = [Int32Array.from({ length: 4 }, (_, i) => (classes[i]! + 1) % 3)];
      const logits = Float32Array.from({ length: layout.logits }, (_, i) => Math.sin(i));
      const at = (values: Float32Array) => {
        const gates = openGates(values, 0.5);
        const theta = mergeMasked(place.space, vector, expandMask(layout, gates));
        return { gates, pass: place.tower.pass(theta, images, { loss: { entropy: 0, crossEntropy: 1, labels } }) };
      };
      const { gates, pass } = at(logits);
      assert.ok(meanGate(layout, gates) > 0 && meanGate(layout, gates) < 1);
      const gradient = gateGradient(layout, gates, maskGradient((await pass).gradient, vector), 0.5);
      // Along the gradient, where a difference is largest beside the rounding.
      const norm = Math.hypot(...gradient);
      const step = 0.02;
      const moved = (sign: number) => logits.map((value, i) => value + (sign * step * gradient[i]!) / norm);
      const difference = ((await at(moved(1)).pass).loss - (await at(moved(-1)).pass).loss) / (2 * step);
      assert.ok(Math.abs(difference - norm) < 2e-3 * norm, `${difference} against ${norm}`);
    });
  }
});
