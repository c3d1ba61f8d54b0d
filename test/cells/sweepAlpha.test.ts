import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { loadSuite, loadTaskVectors, ResultCache, sweepAlpha, type LoadedSuite, type LoadedTaskVectors } from "../../src/cells";
import { silentProgress } from "../../src/display/progress";
import { startEngine } from "../../src/engine";

const short = { steps: 1, labelSteps: 1, finalAdaptSteps: 1 };
const settings = {
  methods: ["task_arithmetic", "adamerging", "dam"],
  scales: { task_arithmetic: [0, 0.3], adamerging: [1] },
  options: { dam: short, adamerging: { steps: 1 } },
  alphas: [0, 1],
  viewImages: 8,
  limit: 20,
  floors: "none" as const,
};

describe("sweepAlpha()", function () {
  this.timeout(120_000);
  let folder: string;
  let suite: LoadedSuite;
  let vectors: LoadedTaskVectors;
  const workers = process.env["DAMLAB_WORKERS"];

  before(async () => {
    await startEngine();
    folder = await mkdtemp(path.join(tmpdir(), "damlab-sweep-"));
    suite = await loadSuite("desk");
    vectors = await loadTaskVectors(suite, { backdoored: ["eurosat"], tasks: ["eurosat", "dtd"] });
  });
  after(async () => {
    if (workers === undefined) delete process.env["DAMLAB_WORKERS"];
    else process.env["DAMLAB_WORKERS"] = workers;
    await rm(folder, { recursive: true });
  });

  const kept = async (): Promise<Record<string, number>> =>
    Object.fromEntries((await new ResultCache(folder).sizes()).map(({ cell, results }) => [cell, results]));

  it("sweepAlpha() judges every method, alpha, scale and stage", async () => {
    process.env["DAMLAB_WORKERS"] = "1";
    const cell = sweepAlpha.with({ cache: new ResultCache(folder), progress: silentProgress });
    const { points, pretrained, individual } = await cell(vectors, suite, settings);
    assert.deepEqual(
      points.map(({ method, alpha, scale, seed, stage }) => [method, alpha, scale, seed, stage]),
      [
        ["task_arithmetic", null, 0, null, "final"],
        ["task_arithmetic", null, 0.3, null, "final"],
        ["adamerging", null, 1, 0, "final"],
        ["dam", 0, 1, 0, "masks"],
        ["dam", 0, 1, 0, "final"],
        ["dam", 1, 1, 0, "masks"],
        ["dam", 1, 1, 0, "final"],
      ],
    );
    // λ = 0 is the pretrained model.
    assert.deepEqual([points[0]!.acc, points[0]!.asrAttacked], [pretrained.acc, pretrained.asrAttacked]);
    assert.ok(individual.acc > pretrained.acc);
    assert.ok(points.every(({ acc, asrAttacked, asrAll }) => acc >= 0 && acc <= 1 && asrAttacked! >= 0 && asrAll === null));
    // What a user sees of DAM's merges, after their final stage.
    assert.deepEqual(
      points.map(({ view }) => view?.images ?? 0),
      [0, 0, 0, 0, 16, 0, 16],
    );
    // Four merges, both of DAM's from one f_0; their seven points, two fine-tuned models and the pretrained one.
    assert.deepEqual(await kept(), { sweepLabels: 1, sweepMerge: 4, sweepPoint: 10, sweepView: 2 });
  });

  it("sweepAlpha() computes only what another alpha adds, and gives the same again without computing", async () => {
    process.env["DAMLAB_WORKERS"] = "1";
    const cell = sweepAlpha.with({ cache: new ResultCache(folder), progress: silentProgress });
    const { points } = await cell(vectors, suite, { ...settings, alphas: [0, 1, 5] });
    assert.deepEqual(await kept(), { sweepLabels: 1, sweepMerge: 5, sweepPoint: 12, sweepView: 3 });
    const { numTensors } = tf.memory();
    assert.deepEqual((await cell(vectors, suite, { ...settings, alphas: [0, 1, 5] })).points, points);
    assert.equal(tf.memory().numTensors, numTensors);
  });

  it("sweepAlpha() gives the same bytes on worker threads", async () => {
    const given = { ...settings, alphas: [1], scales: { task_arithmetic: [0.3], adamerging: [1] } };
    process.env["DAMLAB_WORKERS"] = "1";
    const here = await sweepAlpha.with({ cache: new ResultCache(folder), progress: silentProgress })(vectors, suite, given);
    process.env["DAMLAB_WORKERS"] = "2";
    const there = await sweepAlpha.with({ cache: null, progress: silentProgress })(vectors, suite, given);
    assert.equal(JSON.stringify(there.points), JSON.stringify(here.points));
  });

  it("sweepAlpha() measures the floor on clean models", async () => {
    process.env["DAMLAB_WORKERS"] = "1";
    const cell = sweepAlpha.with({ cache: null, progress: silentProgress });
    const given = { methods: ["task_arithmetic"], scales: { task_arithmetic: [0, 0.3, 1] }, limit: 20 };
    const { points } = await cell(vectors, suite, { ...given, floors: "default" });
    // The method's own λ is .3.
    assert.deepEqual(
      points.map(({ floor }) => floor !== null),
      [false, true, false],
    );
    const all = await cell(vectors, suite, { ...given, floors: "all" });
    // At λ = 0 attacked and clean merges are the pretrained model both.
    assert.equal(all.points[0]!.floor!.asrAttacked, all.points[0]!.asrAttacked);
    assert.ok(all.points[2]!.floor!.asrAttacked! < all.points[2]!.asrAttacked!);
  });

  it("sweepAlpha() refuses settings of methods that it does not run, and unknown options", async () => {
    await assert.rejects(sweepAlpha(vectors, suite, { methods: ["ties"], scales: { dam: [1] } }), {
      name: "RangeError",
      message: 'Cannot run cell "sweepAlpha" with parameter "scales": expected methods of ties, got "dam"',
    });
    await assert.rejects(sweepAlpha(vectors, suite, { options: { dam: { step: 3 } } }), /options\.step.*steps/);
    await assert.rejects(sweepAlpha(vectors, suite, { methods: ["tis"] }), /Cannot merge by "tis"/);
  });

  // At 300 ms the pieces are being prepared; at 4 s DAM's 1000 iterations are under way.
  for (const [count, delay] of [
    ["2", 300],
    ["2", 4000],
    ["1", 4000],
  ] as const) {
    it(`sweepAlpha() with DAMLAB_WORKERS=${count} stops when it is interrupted after ${delay} ms`, async () => {
      process.env["DAMLAB_WORKERS"] = count;
      const controller = new AbortController();
      const cell = sweepAlpha.with({ cache: null, progress: silentProgress, signal: controller.signal });
      const running = cell(vectors, suite, { ...settings, options: { dam: { steps: 1000 } } });
      setTimeout(() => controller.abort(new DOMException("Interrupted", "AbortError")), delay);
      await assert.rejects(running, { name: "AbortError", message: "Interrupted" });
    });
  }
});
