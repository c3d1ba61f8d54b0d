import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { hashFile, type NamedTensors } from "../../src/checkpoints";
import { allMethods } from "../../src/defenses";
import type { ProgressSink } from "../../src/display/progress";
import { mergeCheckpoints, parseRecipe, type MergeCheckpointsOptions, type MergeRecord } from "../../src/merging";
import { adaptationImages } from "../../src/merging/adaptive";
import { loadTask } from "../../src/tasks";
import { writePicoZoo } from "../cells/fixtures/picoZoo";
import { readAll } from "./pico";

/** A sink that calls when a step is done. */
const watch = (seen: (step: number) => void): ProgressSink => ({
  start: () => ({ update: ({ step }) => seen(step), finish: () => undefined }),
});

describe("mergeCheckpoints() by test-time methods", () => {
  let folder: string;
  const workers = process.env["DAMLAB_WORKERS"];
  const useWorkers = (count: string | undefined): void => {
    if (count === undefined) delete process.env["DAMLAB_WORKERS"];
    else process.env["DAMLAB_WORKERS"] = count;
  };
  before(async () => {
    // Starting threads takes longer than these merges.
    useWorkers("1");
    folder = await mkdtemp(path.join(tmpdir(), "damlab-adapt-"));
    await writePicoZoo(path.join(folder, "zoo"));
  });
  after(async () => {
    useWorkers(workers);
    await rm(folder, { recursive: true });
  });

  const recipe = (given: object) => {
    const complete = {
      base: "zoo/pretrained",
      models: ["zoo/clean/dtd", "zoo/backdoored/trojvit/eurosat-seed0"],
      suite: "zoo",
      method: "adamerging",
      options: { steps: 3, batchSize: 4 },
      ...given,
    };
    return parseRecipe(JSON.stringify(complete), path.join(folder, "r.yaml"), allMethods);
  };
  const merge = (given: object = {}, out = "out", options: MergeCheckpointsOptions = {}): Promise<MergeRecord> =>
    mergeCheckpoints(recipe(given), path.join(folder, out), options);
  const damOptions = { steps: 3, labelSteps: 2, finalAdaptSteps: 2, batchSize: 4 };

  it("mergeCheckpoints() runs each test-time method and writes the same kind of folder", async () => {
    for (const [method, options] of [
      ["adamerging", { steps: 2, batchSize: 4 }],
      ["adamerging_taskwise", { steps: 2, batchSize: 4 }],
      ["concrete_task_arithmetic", { steps: 2, batchSize: 4 }],
      ["concrete_adamerging", { steps: 2, batchSize: 4, finalAdaptSteps: 1 }],
      ["dam", damOptions],
    ] as const) {
      const record = await merge({ method, options, seed: 5 });
      assert.deepEqual(JSON.parse(await readFile(path.join(folder, "out/run.json"), "utf8")), record);
      assert.deepEqual((await readdir(path.join(folder, "out"))).sort(), ["config.json", "model.safetensors", "run.json"]);
      assert.deepEqual(record.recipe.options, allMethods.get(method)!.options.parse(options));
      assert.deepEqual([record.recipe.seed, record.recipe.adaptOn], [5, "adapt"]);
      assert.deepEqual(
        record.models.map(({ task, taskFrom, trigger }) => [task, taskFrom, trigger]),
        [
          ["dtd", "zoo.json", null],
          ["eurosat", "zoo.json", "trojvit/eurosat-seed0"],
        ],
      );
      assert.match(record.engine, /^(wasm|cpu|native|gpu) .*float32$/);
      const { images, losses, coefficients } = record.adaptation!;
      assert.deepEqual(images, { dtd: 800, eurosat: 800 });
      const { steps, labelSteps = 0, finalAdaptSteps = 0 } = options as Partial<typeof damOptions>;
      assert.equal(losses.length, steps! + labelSteps + finalAdaptSteps);
      assert.equal(coefficients.values[1]!.length, coefficients.granularity === "task" ? 1 : coefficients.parameters.length);
      assert.equal(record.sha256, await hashFile(path.join(folder, "out/model.safetensors")));
    }
  });

  it("mergeCheckpoints() without steps is Task Arithmetic, but for rounding", async () => {
    await merge({ options: { steps: 0 } });
    const adapted = await readAll(path.join(folder, "out"));
    await merge({ method: "task_arithmetic", options: {}, suite: undefined });
    const close = (a: NamedTensors, b: NamedTensors): void => {
      for (const [name, { values }] of a) values.forEach((value, i) => assert.ok(Math.abs(value - b.get(name)!.values[i]!) < 1e-6, name));
    };
    close(adapted, await readAll(path.join(folder, "out")));
  });

  it("mergeCheckpoints() depends on the seed and on whose images are adapted on, and on nothing else", async () => {
    const hash = async (given: object): Promise<string> => (await merge({ options: { ...damOptions }, method: "dam", ...given })).sha256;
    const first = await hash({});
    assert.equal(await hash({ seed: 0, adaptOn: "adapt" }), first);
    assert.notEqual(await hash({ seed: 1 }), first);
    assert.notEqual(await hash({ adaptOn: "test" }), first);
    const [none, zero] = [await hash({ options: { ...damOptions, safety: "none" } }), await hash({ options: { ...damOptions, alpha: 0 } })];
    assert.equal(none, zero);
  });

  it("mergeCheckpoints() sees no labels: permuting those of the images changes no byte", async () => {
    for (const split of ["adapt", "test"] as const) assert.equal("labels" in adaptationImages("dtd", split), false);
    const before = (await merge({ adaptOn: "test" })).sha256;
    const { labels } = loadTask("dtd").load("test");
    const kept = labels.slice();
    try {
      labels.reverse();
      assert.notDeepEqual(labels, kept);
      assert.equal((await merge({ adaptOn: "test" })).sha256, before);
    } finally {
      labels.set(kept);
    }
  });

  it("mergeCheckpoints() goes on after an interrupt, to the same bytes", async () => {
    const whole = await merge({ method: "dam", options: damOptions }, "whole");
    const controller = new AbortController();
    const progress = watch((step) => void (step === 4 && controller.abort(new Error("Interrupted"))));
    const options = { signal: controller.signal, progress };
    await assert.rejects(merge({ method: "dam", options: damOptions }, "part", options), new Error("Interrupted"));
    const left = (await readdir(folder)).filter((name) => name.startsWith("part"));
    assert.deepEqual(left, ["part.state.safetensors"]);
    const steps: number[] = [];
    const rest = await merge({ method: "dam", options: damOptions }, "part", { progress: watch((step) => void steps.push(step)) });
    assert.deepEqual(steps, [5, 6, 7]);
    assert.equal(rest.sha256, whole.sha256);
    assert.deepEqual(rest.adaptation, whole.adaptation);
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.startsWith("part")),
      ["part"],
    );
  });

  it("mergeCheckpoints() does not go on from the state of another recipe", async () => {
    const controller = new AbortController();
    const progress = watch((step) => void (step === 2 && controller.abort(new Error("Interrupted"))));
    await assert.rejects(merge({ seed: 1 }, "other", { signal: controller.signal, progress }), /Interrupted/);
    assert.equal((await merge({}, "other")).sha256, (await merge({})).sha256);
  });

  it("mergeCheckpoints() gives the same bytes on two threads", async () => {
    const before = (await merge({})).sha256;
    useWorkers("2");
    try {
      assert.equal((await merge({})).sha256, before);
    } finally {
      useWorkers("1");
    }
  });

  it("mergeCheckpoints() names the model whose task the suite lacks, and the remedy", async () => {
    await assert.rejects(
      merge({ tasks: ["dtd", "stl10"] }),
      /^RangeError: Cannot merge ".*eurosat-seed0" by "adamerging": expected its task to be one of mnist, .*, got "stl10" from its recipe; the recipe may say "tasks: \[\.\.\.\]"/,
    );
    await assert.rejects(merge({ suite: "nowhere" }), /Cannot read ".*nowhere.*zoo\.json": there is no such file/);
  });

  it("parseRecipe() asks for a suite, and for it alone, where images are looked at", () => {
    assert.throws(
      () => recipe({ suite: undefined }),
      /^TypeError: Cannot read recipe ".*": expected a "suite" \(such as desk\) with method "adamerging", which adapts on its images, got nothing$/,
    );
    assert.throws(() => recipe({ merge: "all" }), /^RangeError: .*: expected "merge" to be vision with method "adamerging"/);
    assert.throws(() => recipe({ adaptOn: "train" }), /^RangeError: .*: expected "adaptOn" to be one of adapt, test, got "train"$/);
    assert.throws(
      () => recipe({ method: "ties", options: {}, suite: undefined, adaptOn: "test" }),
      /^TypeError: .*: expected no "adaptOn"/,
    );
  });
});
