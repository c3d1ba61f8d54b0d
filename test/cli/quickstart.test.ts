import assert from "node:assert/strict";
import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { closeSharedWorkers, configureCells } from "../../src/cells";
import { loadNamedTensors, openCheckpoint, writeSafetensors } from "../../src/checkpoints";
import { runQuickstart, type QuickstartResult } from "../../src/cli/quickstart";
import { silentProgress } from "../../src/display/progress";
import { startEngine } from "../../src/engine";
import { deskFolder } from "../../src/zoo";

describe("runQuickstart()", () => {
  let folder: string;
  let first: QuickstartResult;
  const shipped = deskFolder();
  const run = (name: string) =>
    runQuickstart({
      out: path.join(folder, name),
      validationImages: 20,
      testImages: 60,
      adaMerging: { steps: 2 },
      dam: { labelSteps: 2, steps: 2, finalAdaptSteps: 1 },
      adaptiveFloors: false,
      progress: silentProgress,
    });

  before(async function () {
    this.timeout(240000);
    await startEngine("wasm");
    folder = await mkdtemp(path.join(os.tmpdir(), "damlab-quickstart-"));
    configureCells({ cache: null });
    first = await run("first");
  });
  after(async () => {
    delete process.env["DAMLAB_DESK"];
    configureCells({ cache: undefined as never });
    await closeSharedWorkers();
    await rm(folder, { recursive: true });
  });

  it("runQuickstart() writes a report, pictures and the numbers", async () => {
    assert.deepEqual((await readdir(path.join(folder, "first"))).sort(), ["report.html", "run.json", "succession.png", "tasks.png"]);
    const html = await readFile(path.join(folder, "first", "report.html"), "utf8");
    assert.match(html, /<title>A backdoor crosses a merge<\/title>/);
    const numbers = JSON.parse(await readFile(path.join(folder, "first", "run.json"), "utf8")) as { methods: Record<string, unknown> };
    assert.deepEqual(Object.keys(numbers.methods), Object.keys(first.reports));
    const png = await readFile(path.join(folder, "first", "succession.png"));
    assert.equal(png.subarray(1, 4).toString(), "PNG");
  });

  it("runQuickstart() finds that the merge inherits the backdoor", () => {
    for (const { report } of Object.values(first.reports)) assert.ok(report.average.acc! > 0.5);
    const [, { report, floor }] = Object.entries(first.reports)[1]!;
    const asrOfFloor = Object.entries(report.provenance.parameters["attacked"] as Record<string, string>).map(
      ([task, trigger]) => floor!.tasks[task]!.asr[trigger]!.asr!,
    );
    // 60 images a task: the standard error of an ASR is below 0.07
    assert.ok(report.average.asrAttacked! > Math.max(...asrOfFloor) + 0.15, `${report.average.asrAttacked} and ${asrOfFloor.join()}`);
  });

  it("runQuickstart() gives other numbers when the weights of one model of the zoo change", async () => {
    const copy = path.join(folder, "desk");
    await cp(shipped, copy, { recursive: true });
    const model = path.join(copy, "backdoored", "trojvit", "eurosat-seed0");
    const checkpoint = await openCheckpoint(model);
    const tensors = await loadNamedTensors(checkpoint);
    await checkpoint.close();
    for (const [name, { values }] of tensors) if (name.includes("mlp")) values.forEach((value, index) => (values[index] = -value));
    await writeSafetensors(path.join(model, "model.safetensors"), tensors, { metadata: { format: "pt" } });
    process.env["DAMLAB_DESK"] = copy;
    const changed = await run("changed");
    const averages = ({ reports }: QuickstartResult) => Object.values(reports).map(({ report }) => report.average.acc);
    averages(changed).forEach((acc, index) => assert.notEqual(acc, averages(first)[index]));
    // The floor is merged from clean models alone.
    const floors = ({ reports }: QuickstartResult) => Object.values(reports).map(({ floor }) => floor?.average.acc);
    assert.equal(floors(changed)[0], floors(first)[0]);
  });
}).timeout(240000);
