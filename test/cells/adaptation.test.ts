import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import {
  adaptModels,
  buildDualMasks,
  closeSharedWorkers,
  configureCells,
  evaluate,
  loadSuite,
  loadTaskVectors,
  maskReport,
  mergeModels,
  metaOptimize,
  ResultCache,
  type LoadedSuite,
  type LoadedTaskVectors,
  type MetaOptimizeParameters,
} from "../../src/cells";
import { DAM_DEFAULTS } from "../../src/dam";
import { displaySymbol, type Displayable } from "../../src/display/mime";
import { silentProgress, type ProgressSink } from "../../src/display/progress";
import { scaledMerge, testTimeMethods } from "../../src/merging/adaptive";
import { writePicoZoo } from "./fixtures/picoZoo";

/** A sink that calls when a step is done. */
const watch = (seen: (step: number) => void): ProgressSink => ({
  start: () => ({ update: ({ step }) => seen(step), finish: () => undefined }),
});
const text = async (value: unknown): Promise<string> => (await (value as Displayable)[displaySymbol]())["text/plain"];

describe("cells that adapt", () => {
  let folder: string;
  let suite: LoadedSuite;
  let vectors: LoadedTaskVectors;
  const threads = process.env["DAMLAB_WORKERS"];
  const short = { steps: 3, labelSteps: 2, finalAdaptSteps: 2, batchSize: 4 } satisfies MetaOptimizeParameters;

  before(async () => {
    // Starting threads takes longer than these merges.
    process.env["DAMLAB_WORKERS"] = "1";
    folder = await mkdtemp(path.join(tmpdir(), "damlab-adapt-"));
    await writePicoZoo(path.join(folder, "zoo"));
    configureCells({ cache: new ResultCache(path.join(folder, "cache")), progress: silentProgress });
    suite = await loadSuite(path.join(folder, "zoo"));
    vectors = await loadTaskVectors(suite, { tasks: ["dtd", "eurosat"], backdoored: ["eurosat"] });
  });
  after(async () => {
    if (threads === undefined) delete process.env["DAMLAB_WORKERS"];
    else process.env["DAMLAB_WORKERS"] = threads;
    await closeSharedWorkers();
    await rm(folder, { recursive: true });
  });

  it("adaptModels() merges by each test-time method, with that method's defaults in its provenance", async () => {
    for (const { name, title, defaults } of testTimeMethods) {
      const method = name as "adamerging";
      const merged = await adaptModels(vectors, {
        method,
        steps: 1,
        batchSize: 4,
        ...("finalAdaptSteps" in defaults && { finalAdaptSteps: 1 }),
      });
      const own = Object.entries(merged.provenance.parameters).filter(
        ([key]) => !["seed", "method", "adaptOn", "whenInterrupted"].includes(key),
      );
      assert.deepEqual(Object.fromEntries(own), {
        ...defaults,
        steps: 1,
        batchSize: 4,
        ...("finalAdaptSteps" in defaults && { finalAdaptSteps: 1 }),
      });
      assert.deepEqual([merged.title, merged.completed, merged.mask === null], [title, true, name.startsWith("ada")]);
      assert.deepEqual(merged.attacked, { eurosat: "trojvit/eurosat-seed0" });
    }
    assert.match(
      await text(await adaptModels(vectors, { steps: 1, batchSize: 4 })),
      /^AdaMerging of 2 models: 1 steps, entropy .*\n {2}dtd {7}clean/,
    );
  });

  it("adaptModels() refuses options of other methods", async () => {
    await assert.rejects(
      adaptModels(vectors, { maskLearningRate: 1 }),
      /^TypeError: Cannot run cell "adaptModels" with method "adamerging": unknown key "options.maskLearningRate"/,
    );
    await assert.rejects(adaptModels(vectors, { steps: -1 }), /^RangeError: .*"options.steps" to be at least 0, got -1/);
  });

  it("buildDualMasks() lays both masks over the task vectors", async () => {
    const masks = await buildDualMasks(vectors, { seed: 3, initialLogit: 2 });
    assert.deepEqual([...masks.logits.keys()], ["shared", "backdoor"]);
    const elements = [...vectors.pretrained]
      .filter(([name]) => name.startsWith("vision_model."))
      .reduce((sum, [, { values }]) => sum + values.length, 0);
    assert.deepEqual([masks.layout.logits, masks.logits.get("shared")!.length, masks.seed], [elements, elements, 3]);
    // sigmoid(2) = 0.881
    assert.match(await text(masks), /seed 3\n {2}M1, shared over the tasks: density 88.1 %\n {2}M2/);
    const heads = await buildDualMasks(vectors, { masks: "backdoor", granularity: "layer" });
    assert.deepEqual(
      [...heads.logits].map(([name, values]) => [name, values.length]),
      [["backdoor", heads.parameters.length]],
    );
  });

  it("metaOptimize() declares every setting of DAM, with its default", async () => {
    const masks = await buildDualMasks(vectors);
    const { parameters } = await metaOptimize.trace(vectors, masks);
    const { adaptOn, whenInterrupted, ...own } = parameters;
    assert.deepEqual([adaptOn, whenInterrupted], ["adapt", "throw"]);
    assert.deepEqual({ ...own, ...masks.options }, DAM_DEFAULTS);
    assert.ok([...metaOptimize.help().parameters, ...buildDualMasks.help().parameters].every(({ description }) => description !== ""));
    await assert.rejects(metaOptimize(vectors, masks, { alpha: -1 }), /Cannot run cell "metaOptimize" with parameter "alpha": .*got -1/);
    await assert.rejects(
      metaOptimize(vectors, masks, { referenceCompat: true }),
      /Cannot run cell "metaOptimize": expected "options.referenceCompat"/,
    );
  });

  it("metaOptimize() stops by itself where it is asked to", async () => {
    const masks = await buildDualMasks(vectors, { seed: 0 });
    const merged = await metaOptimize(vectors, masks, { ...short, alpha: 0.5, stop: { every: short.steps } });
    const plain = await metaOptimize(vectors, masks, { ...short, alpha: 0.5 });
    assert.equal(merged.stoppedAt, short.steps);
    assert.equal(plain.stoppedAt, null);
    assert.deepEqual(merged.coefficients, plain.coefficients);
    assert.match(await text(merged), new RegExp(`masks as they were after ${short.steps} iterations`));
    const { flips, agreement } = merged.history.find((step) => "flips" in step)!;
    assert.ok(flips! >= 0 && flips! <= 1 && agreement! > 0 && agreement! <= 1);
    await assert.rejects(metaOptimize(vectors, masks, { stop: { every: 0 } }), /parameter "stop.every": .*got 0/);
  });

  it("metaOptimize() gives a model to evaluate, before and after the final stage, and depends on alpha and the seed", async () => {
    const masks = await buildDualMasks(vectors, { seed: 0 });
    const merged = await metaOptimize(vectors, masks, { ...short, alpha: 0.5 });
    assert.equal(merged.completed, true);
    assert.equal(merged.history.length, 7);
    const limits = { split: "validation", limit: 10 } as const;
    assert.equal((await evaluate(merged, suite, limits)).title, "DAM");
    assert.equal((await evaluate(merged.beforeFinal, suite, limits)).title, "DAM, before the final stage");
    assert.notDeepEqual(merged.coefficients.values, merged.beforeFinal.coefficients.values);
    const { key } = merged.provenance;
    assert.notEqual((await metaOptimize.trace(vectors, masks, { ...short, alpha: 0.6 })).key, key);
    assert.notEqual((await metaOptimize.trace(vectors, await buildDualMasks(vectors, { seed: 1 }), { ...short, alpha: 0.5 })).key, key);
    // Shrunk without another run: λ times 0 is the pretrained model.
    const name = "vision_model.post_layernorm.weight";
    assert.deepEqual(scaledMerge(vectors, merged, 0).get(name)!.values, vectors.pretrained.get(name)!.values);
  });

  it("metaOptimize() trains masks further from where they were", async () => {
    const masks = await buildDualMasks(vectors);
    const first = await metaOptimize(vectors, masks, short);
    const { backdoor, shared } = Object.fromEntries(first.masks.logits);
    assert.ok(backdoor!.some((logit) => logit !== 0) && shared!.some((logit) => logit !== 0));
    const still = await metaOptimize(vectors, first.masks, { ...short, steps: 0 });
    assert.deepEqual(still.masks.logits.get("backdoor"), backdoor);
  });

  it("metaOptimize() gives the result so far after an interrupt where asked to, keeps none of it, and goes on to the same bytes", async () => {
    const masks = await buildDualMasks(vectors, { seed: 9 });
    const given = { ...short, whenInterrupted: "return" } as const;
    const controller = new AbortController();
    const progress = watch((step) => void (step === 4 && controller.abort(new Error("Interrupted"))));
    const part = await metaOptimize.with({ signal: controller.signal, progress })(vectors, masks, given);
    assert.deepEqual([part.completed, part.history.length, part.provenance.parameters["unfinished"]], [false, 4, { steps: 4 }]);
    assert.notEqual(part.provenance.key, (await metaOptimize.trace(vectors, masks, given)).key);
    assert.equal((await readdir(path.join(folder, "cache", "states", "metaOptimize"))).length > 0, true);
    const steps: number[] = [];
    const rest = await metaOptimize.with({ progress: watch((step) => void steps.push(step)) })(vectors, masks, given);
    assert.deepEqual(steps, [5, 6, 7]);
    const whole = await metaOptimize.with({ cache: null })(vectors, masks, given);
    assert.deepEqual(rest.parameters, whole.parameters);
    assert.deepEqual(rest.history, whole.history);
    assert.deepEqual(rest.provenance, whole.provenance);
  });

  it("maskReport() shows density, what M2 prunes and the overlap, by kind and block", async () => {
    const merged = await metaOptimize(vectors, await buildDualMasks(vectors), short);
    const { figures, table } = await maskReport(merged);
    assert.deepEqual(Object.keys(figures), ["sharedDensity", "backdoorDensity", "pruned", "overlap"]);
    const [trace] = figures.backdoorDensity!.specification.data as unknown as [{ z: (number | null)[][] }];
    // Two steps of at most 0.01 move sigmoid(Z) by less than a percent from one half.
    assert.ok(trace.z.flat().every((value) => value === null || Math.abs(value - 50) < 1));
    assert.deepEqual(
      table.rows.map(({ block }) => block),
      ["start", "0", "end", "all"],
    );
    const all = table.rows.at(-1)!;
    assert.ok((all["both"] as number) <= (all["prunedShared"] as number));
    const one = await metaOptimize(vectors, await buildDualMasks(vectors, { masks: "backdoor" }), short);
    assert.deepEqual(Object.keys((await maskReport(one)).figures), ["backdoorDensity", "pruned"]);
    const none = await metaOptimize(vectors, await buildDualMasks(vectors, { masks: "none" }), short);
    assert.deepEqual(Object.keys((await maskReport(none)).figures), []);
  });

  it("mergeModels() and metaOptimize() without steps agree, but for rounding", async () => {
    const data = await mergeModels(vectors, { method: "task_arithmetic", scaling: 0.3 });
    const masks = await buildDualMasks(vectors, { masks: "none" });
    const merged = await metaOptimize(vectors, masks, { steps: 0, labelSteps: 0, finalAdaptSteps: 0, initialCoefficient: 0.3 });
    for (const [name, { values }] of merged.parameters)
      values.forEach((value, i) => assert.ok(Math.abs(value - data.parameters.get(name)!.values[i]!) < 1e-6, name));
  });
});
