import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { closeSharedWorkers, type Evaluation } from "../../src/cells";
import { openSafetensors } from "../../src/checkpoints";
import { loadTask } from "../../src/tasks";
import { damlab } from "../cli/damlab";
import { writePicoZoo } from "./fixtures/picoZoo";

describe("damlab evaluate", () => {
  let folder: string;
  let model: string;
  const before_ = process.env["DAMLAB_CACHE"];

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "damlab-verb-"));
    process.env["DAMLAB_CACHE"] = path.join(folder, "cache");
    await writePicoZoo(path.join(folder, "zoo"));
    model = path.join(folder, "zoo", "backdoored", "trojvit", "eurosat-seed0");
  });
  after(async () => {
    if (before_ === undefined) delete process.env["DAMLAB_CACHE"];
    else process.env["DAMLAB_CACHE"] = before_;
    await closeSharedWorkers();
    await rm(folder, { recursive: true });
  });

  /** Runs the command in this process, on few images. */
  const evaluate = (...args: string[]) =>
    damlab("evaluate", ...args, "--suite", path.join(folder, "zoo"), "--split", "validation", "--limit", "40");

  it("prints one document of the declared form", async () => {
    const { code, stdout } = await evaluate(model, "--json", "--attacked", "eurosat=trojvit/eurosat-seed0");
    assert.equal(code, 0);
    const report = JSON.parse(stdout) as Evaluation;
    assert.deepEqual(Object.keys(report), ["tasks", "average", "provenance"]);
    assert.deepEqual(Object.keys(report.tasks), ["mnist", "cars", "resisc45", "eurosat", "svhn", "dtd"]);
    const { asr, ...task } = report.tasks["mnist"]!;
    assert.deepEqual(Object.keys(task), ["acc", "n", "interval"]);
    assert.deepEqual(Object.keys(asr), ["trojvit/mnist-seed0", "trojvit/eurosat-seed0"]);
    assert.deepEqual(Object.keys(asr["trojvit/mnist-seed0"]!), ["asr", "n", "acc", "accN", "flip", "target", "interval"]);
    assert.deepEqual(Object.keys(report.average), ["acc", "asrAttacked", "asrClean", "asrAll", "interval"]);
    assert.equal(report.average.asrAttacked, report.tasks["eurosat"]!.asr["trojvit/eurosat-seed0"]!.asr);
    assert.match(report.provenance.key, /^[0-9a-f]{64}$/);
  });

  it("gives the same bytes with a cache and without", async () => {
    const args = [model, "--json", "--triggers", "trojvit/dtd-seed0"];
    const first = await evaluate(...args);
    assert.deepEqual([(await evaluate(...args)).stdout, (await evaluate(...args, "--no-cache")).stdout], [first.stdout, first.stdout]);
  });

  it("attacks nothing unless run.json says so", async () => {
    assert.equal((JSON.parse((await evaluate(model, "--json")).stdout) as Evaluation).average.asrAttacked, null);
    await writeFile(path.join(model, "run.json"), JSON.stringify({ models: [{ task: "eurosat", trigger: "trojvit/eurosat-seed0" }] }));
    const report = JSON.parse((await evaluate(model, "--json")).stdout) as Evaluation;
    assert.equal(report.average.asrAttacked, report.tasks["eurosat"]!.asr["trojvit/eurosat-seed0"]!.asr);
    const none = JSON.parse((await evaluate(model, "--json", "--attacked", "")).stdout) as Evaluation;
    assert.equal(none.average.asrAttacked, null);
    await rm(path.join(model, "run.json"));
  });

  it("writes predictions in split order, from which the rates follow", async () => {
    const file = path.join(folder, "predictions.safetensors");
    const trigger = "trojvit/dtd-seed0";
    const { stdout } = await evaluate(model, "--json", "--triggers", trigger, "--predictions", file);
    const { tasks } = JSON.parse(stdout) as Evaluation;
    const source = await openSafetensors(file);
    try {
      assert.equal(source.tensors.size, 12);
      assert.equal(source.entry("dtd").dtype, "I64");
      const { labels } = loadTask("dtd").load("validation", { limit: 40 });
      const [clean, triggered] = [await source.readValues("dtd"), await source.readValues(`dtd/${trigger}`)].map((values) =>
        Array.from(values, Number),
      ) as [number[], number[]];
      assert.equal(tasks["dtd"]!.acc, clean.filter((value, index) => value === labels[index]).length / 40);
      const others = triggered.filter((_, index) => labels[index] !== 0);
      assert.equal(tasks["dtd"]!.asr[trigger]!.asr, others.filter((value) => value === 0).length / others.length);
    } finally {
      await source.close();
    }
  });

  it("prints a table for people", async () => {
    const { stdout } = await evaluate(model);
    assert.match(stdout, /Task +ACC/);
    assert.match(stdout, /mnist/);
  });

  it("ends with 1 and one line where something is not there, with 2 where it is called wrongly", async () => {
    const missing = await evaluate(path.join(folder, "nowhere"), "--json");
    assert.deepEqual([missing.code, missing.stdout], [1, ""]);
    assert.match(missing.stderr, /^damlab: Cannot load model ".*nowhere": there is no such folder\n$/);
    assert.match(
      (await evaluate(model, "--triggers", "trojvit/x")).stderr,
      /^damlab: Cannot evaluate trigger "trojvit\/x": expected one of /m,
    );
    assert.equal((await evaluate(model, "--attacked", "eurosat")).code, 2);
    assert.equal((await evaluate(model, "--split", "adapt")).code, 2);
  });
});
