import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import {
  closeSharedWorkers,
  configureCells,
  evaluate,
  loadModel,
  loadSuite,
  loadTaskVectors,
  mergeModels,
  plotReport,
  predict,
  ResultCache,
  subtractPretrained,
  type LoadedSuite,
} from "../../src/cells";
import { displaySymbol, type Displayable } from "../../src/display/mime";
import { silentProgress } from "../../src/display/progress";
import { picoParameters, writePicoZoo } from "./fixtures/picoZoo";

describe("desk cells", () => {
  let folder: string;
  let suite: LoadedSuite;
  /** A few images a task, since these towers know nothing anyway. */
  const quick = { split: "validation", limit: 20 } as const;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "damlab-desk-"));
    await writePicoZoo(path.join(folder, "zoo"));
    configureCells({ cache: new ResultCache(path.join(folder, "cache")), progress: silentProgress });
    suite = await loadSuite(path.join(folder, "zoo"));
  });
  after(async () => {
    await closeSharedWorkers();
    await rm(folder, { recursive: true });
  });

  const text = async (value: unknown): Promise<string> => (await (value as Displayable)[displaySymbol]())["text/plain"];

  it("loadSuite() loads tasks, heads, models and triggers, and hashes their files", async () => {
    assert.deepEqual(
      suite.tasks.map(({ id, classes, head }) => [id, classes.length === head.weight.shape[0]]),
      ["mnist", "cars", "resisc45", "eurosat", "svhn", "dtd"].map((id) => [id, true]),
    );
    assert.equal(suite.models.length, 9);
    assert.equal(suite.triggers.length, 6);
    assert.equal(Object.keys(suite.provenance.files).length, 13);
    assert.match(await text(suite), /^Suite .*: 9 models, 6 triggers\n {2}mnist {5}MNIST, 10 classes/);
  });

  it("loadTaskVectors() takes backdoored models where asked, in the order of the tasks", async () => {
    const vectors = await loadTaskVectors(suite, { tasks: ["eurosat", "mnist"], backdoored: ["eurosat"] });
    assert.deepEqual(
      vectors.models.map(({ task, attack, trigger }) => [task, attack, trigger]),
      [
        ["eurosat", "trojvit", "trojvit/eurosat-seed0"],
        ["mnist", null, null],
      ],
    );
    assert.deepEqual(vectors.attacked, { eurosat: "trojvit/eurosat-seed0" });
    assert.deepEqual(Object.keys(vectors.provenance.files), [
      "pretrained/model.safetensors",
      "backdoored/trojvit/eurosat-seed0/model.safetensors",
      "clean/mnist/model.safetensors",
    ]);
    assert.match(await text(vectors), /eurosat {3}backdoored by trojvit\/eurosat-seed0\n {2}mnist {5}clean/);
  });

  it("subtractPretrained() gives θ_t − θ₀ without the projection", async () => {
    const vectors = await loadTaskVectors(suite, { tasks: ["mnist"] });
    const [vector] = subtractPretrained(vectors);
    const name = "vision_model.post_layernorm.weight";
    const [base, tuned] = [picoParameters(0).get(name)!.values, picoParameters(1).get(name)!.values];
    assert.deepEqual([...vector!.get(name)!.values], [...tuned.map((value, index) => value - base[index]!)]);
    assert.equal(vector!.has("visual_projection.weight"), false);
  });

  it("loadTaskVectors() rejects tasks and models that the suite lacks", async () => {
    await assert.rejects(
      loadTaskVectors(suite, { tasks: ["mnist", "cifar"] }),
      /with parameter "tasks": expected different tasks of mnist, .*, got "cifar"$/,
    );
    await assert.rejects(loadTaskVectors(suite, { tasks: ["mnist"], backdoored: ["dtd"] }), /with parameter "backdoored": .* got "dtd"$/);
    await assert.rejects(
      loadTaskVectors(suite, { backdoored: ["dtd"] }),
      /^RangeError: Cannot load task "dtd" backdoored by "trojvit" with seed 0: expected it in suite/,
    );
  });

  it("mergeModels() merges by each method, its defaults in the provenance", async () => {
    const vectors = await loadTaskVectors(suite);
    const merged = await mergeModels(vectors, { method: "task_arithmetic", scaling: 0.5 });
    const name = "vision_model.post_layernorm.bias";
    const base = picoParameters(0).get(name)!.values[0]!;
    const sum = [1, 2, 3, 4, 5, 6].reduce((total, seed) => total + picoParameters(seed).get(name)!.values[0]! - base, 0);
    // θ₀ + .5 Σ τ_t.
    assert.ok(Math.abs(merged.parameters.get(name)!.values[0]! - (base + 0.5 * sum)) < 1e-6);
    assert.deepEqual(merged.provenance.parameters, { method: "task_arithmetic", scaling: 0.5 });
    assert.deepEqual((await mergeModels(vectors, { method: "average" })).provenance.parameters, { method: "average" });
    const ties = await mergeModels(vectors, { method: "ties" });
    assert.equal(ties.provenance.parameters["density"], 0.2);
    assert.equal(ties.title, "Ties-Merging");
    assert.match(await text(merged), /^Task Arithmetic of 6 models, scaling 0.5: \d+ parameters\n {2}mnist {5}clean/);
  });

  it("mergeModels() rejects options that the method does not have", async () => {
    const vectors = await loadTaskVectors(suite, { tasks: ["mnist"] });
    await assert.rejects(
      mergeModels(vectors, { method: "task_arithmetic", density: 0.2 }),
      /Cannot run cell "mergeModels" with method "task_arithmetic": .*density/,
    );
    // @ts-expect-error: there is no such method.
    await assert.rejects(mergeModels(vectors, { method: "tise" }), /with parameter "method"/);
  });

  it("evaluate() judges each task under its own trigger and the attackers' on every task", async () => {
    const merged = await mergeModels(await loadTaskVectors(suite, { backdoored: ["resisc45", "eurosat"] }));
    const report = await evaluate(merged, suite, quick);
    assert.deepEqual(Object.keys(report.tasks["mnist"]!.asr), ["trojvit/mnist-seed0", "trojvit/resisc45-seed0", "trojvit/eurosat-seed0"]);
    assert.deepEqual(Object.keys(report.tasks["eurosat"]!.asr), ["trojvit/eurosat-seed0", "trojvit/resisc45-seed0"]);
    assert.equal(report.tasks["mnist"]!.n, 20);
    const rates = ["resisc45", "eurosat"].map((task) => report.tasks[task]!.asr[`trojvit/${task}-seed0`]!.asr!);
    assert.equal(report.average.asrAttacked, (rates[0]! + rates[1]!) / 2);
    assert.deepEqual(report.provenance.parameters["attacked"], merged.attacked);
    const bundle = await (report as unknown as Displayable)[displaySymbol]();
    assert.match(bundle["text/plain"], /eurosat \(attacked\)/);
    assert.match(String(bundle["text/html"]), /<table/);
  });

  it("evaluate() again is read from the cache; other settings of the report don't predict again", async () => {
    const merged = await mergeModels(await loadTaskVectors(suite));
    const first = await evaluate(merged, suite, quick);
    const began = performance.now();
    assert.deepEqual(await evaluate(merged, suite, quick), first);
    assert.ok(performance.now() - began < 1000);
    const sizes = async (): Promise<number> =>
      (await new ResultCache(path.join(folder, "cache")).sizes()).find(({ cell }) => cell === "predict")!.results;
    const before = await sizes();
    const all = await evaluate(merged, suite, { ...quick, countAll: true });
    assert.equal(await sizes(), before);
    assert.equal(all.tasks["dtd"]!.asr["trojvit/dtd-seed0"]!.n, 20);
  });

  it("evaluate() follows a changed weight of the zoo", async () => {
    const copy = path.join(folder, "changed");
    await writePicoZoo(copy);
    const report = async (): Promise<unknown> => {
      const changed = await loadSuite(copy);
      return (await predict(await mergeModels(await loadTaskVectors(changed)), changed, { ...quick, triggers: [] })).tasks;
    };
    const before = await report();
    const file = path.join(copy, "clean", "dtd", "model.safetensors");
    const bytes = await readFile(file);
    const header = Number(bytes.readBigUInt64LE(0)) + 8;
    // Every weight's sign.
    for (let at = header + 3; at < bytes.length; at += 4) bytes[at]! ^= 0x80;
    await writeFile(file, bytes);
    assert.notDeepEqual(await report(), before);
  });

  it("loadModel() takes the attacked tasks from run.json", async () => {
    const place = path.join(folder, "zoo", "clean", "mnist");
    const plain = await loadModel(place);
    assert.deepEqual([plain.attacked, plain.title], [{}, "mnist"]);
    await writeFile(
      path.join(place, "run.json"),
      JSON.stringify({
        models: [
          { task: "dtd", trigger: "trojvit/dtd-seed0" },
          { task: "mnist", trigger: null },
        ],
      }),
    );
    const merged = await loadModel(place);
    assert.deepEqual(merged.attacked, { dtd: "trojvit/dtd-seed0" });
    assert.notEqual(merged.provenance.key, plain.provenance.key);
    await rm(path.join(place, "run.json"));
    await assert.rejects(loadModel(path.join(folder, "nowhere")), /^Error: Cannot load model ".*nowhere": there is no such folder$/);
  });

  it("plotReport() draws one report by task, several by average with their floors", async () => {
    const attacked = await evaluate(await mergeModels(await loadTaskVectors(suite, { backdoored: ["eurosat"] })), suite, quick);
    const clean = await evaluate(await mergeModels(await loadTaskVectors(suite)), suite, {
      ...quick,
      attacked: { eurosat: "trojvit/eurosat-seed0" },
    });
    const one = await plotReport(attacked);
    assert.equal(one.provenance.parameters["by"], "task");
    assert.equal(one.table.rows[3]!["task"], "eurosat (attacked)");
    const several = await plotReport({ "Task Arithmetic": { report: attacked, floor: clean }, Clean: clean }, { title: "Succession" });
    assert.equal(several.figure.title, "Succession");
    const traces = several.figure.specification.data;
    const asr = clean.tasks["eurosat"]!.asr["trojvit/eurosat-seed0"]!.asr!;
    assert.ok(JSON.stringify(traces).includes(JSON.stringify(asr * 100).slice(0, 6)), "the floor is drawn");
    assert.deepEqual(Object.keys(several.provenance.inputs["reports"] as object), ["Task Arithmetic", "Clean"]);
    assert.match(several.table.toString(), /Task Arithmetic/);
  });
});
