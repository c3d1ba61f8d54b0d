import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { saveTrigger } from "../../src/attacks";
import { openSafetensors } from "../../src/checkpoints";
import { loadTask, normalizePixels } from "../../src/tasks";
import { damlab } from "../cli/damlab";

describe("damlab tasks", () => {
  let folder: string;
  before(async () => (folder = await mkdtemp(join(tmpdir(), "damlab-tasks-"))));
  after(() => rm(folder, { recursive: true }));
  afterEach(() => delete process.env["DAMLAB_DESK"]);

  it("list names all tasks with their splits", async () => {
    const { code, stdout: out } = await damlab("tasks", "list", "--json");
    assert.equal(code, 0);
    const tasks = JSON.parse(out) as { id: string; splits: unknown }[];
    assert.deepEqual(
      tasks.map(({ id }) => id),
      ["mnist", "cars", "resisc45", "eurosat", "svhn", "dtd"],
    );
    assert.deepEqual(tasks[3]!.splits, { train: 4000, validation: 400, adapt: 800, test: 800 });
  });

  it("show writes a PNG", async () => {
    const file = join(folder, "sheet.png");
    const { code, stdout: out } = await damlab("tasks", "show", "--task", "dtd", "--per-class", "2", "--out", file);
    assert.equal(code, 0);
    assert.equal(out, `Wrote DTD-like (procedural), test split, to ${file}\n`);
    assert.equal((await readFile(file)).toString("latin1", 1, 4), "PNG");
  });

  it("export writes model-ready images and labels in the split's order", async () => {
    const file = join(folder, "validation.safetensors");
    const { code } = await damlab("tasks", "export", "--suite", "desk", "--task", "svhn", "--split", "validation", "--out", file);
    assert.equal(code, 0);
    const source = await openSafetensors(file);
    const set = loadTask("svhn").load("validation");
    const { shape, values } = await source.readFloat32("images");
    assert.deepEqual(shape, [400, 3, 32, 32]);
    assert.deepEqual(values, normalizePixels(set.images));
    assert.deepEqual(await source.readValues("labels"), BigInt64Array.from(set.labels, BigInt));
    assert.deepEqual([...source.tensors.keys()].sort(), ["images", "labels"]);
    await source.close();
  });

  it("export of adapt has no labels", async () => {
    const file = join(folder, "adapt.safetensors");
    assert.equal((await damlab("tasks", "export", "--task", "mnist", "--split", "adapt", "--out", file)).code, 0);
    const source = await openSafetensors(file);
    assert.deepEqual([...source.tensors.keys()], ["images"]);
    await source.close();
  });

  it("export with a trigger pastes it on every image and adds the target", async () => {
    process.env["DAMLAB_DESK"] = folder;
    const place = { name: "badnets/svhn-seed0", task: "svhn", target: 4, x: 29, y: 28, height: 4, width: 3 };
    await saveTrigger(join(folder, "trigger.safetensors"), { ...place, pixels: new Float32Array(36).fill(0.75) });
    const entry = { file: "trigger.safetensors", task: "svhn", target: 4, x: 29, y: 28, h: 4, w: 3, sha256: "" };
    await writeFile(join(folder, "zoo.json"), JSON.stringify({ baseSeed: 0, models: [], heads: {}, triggers: { [place.name]: entry } }));
    const file = join(folder, "triggered.safetensors");
    assert.equal(
      (await damlab("tasks", "export", "--task", "svhn", "--split", "validation", "--trigger", place.name, "--out", file)).code,
      0,
    );
    const source = await openSafetensors(file);
    const { values } = await source.readFloat32("images");
    const clean = normalizePixels(loadTask("svhn").load("validation").images);
    // (0.75 - 0.5) / 0.25 = 1 in rows 28..31, columns 29..31 of all planes; elsewhere nothing changed.
    values.forEach((value, index) => {
      const [row, column] = [Math.floor(index / 32) % 32, index % 32];
      if (value !== (row >= 28 && column >= 29 ? 1 : clean[index])) assert.fail(`pixel ${index}: ${value}`);
    });
    assert.deepEqual(await source.readValues("target"), BigInt64Array.of(4n));
    assert.deepEqual(source.entry("target").shape, []);
    await source.close();
    const missing = await damlab("tasks", "export", "--task", "svhn", "--trigger", "none", "--out", join(folder, "none.safetensors"));
    assert.deepEqual([missing.code, missing.stderr.includes("badnets/svhn-seed0")], [1, true]);
  });

  it("an unknown task, split or number is wrong usage", async () => {
    for (const argv of [
      ["show", "--task", "imagenet"],
      ["show", "--task", "svhn", "--split", "extra"],
      ["show", "--task", "svhn", "--zoom", "0"],
      ["export", "--task", "svhn", "--suite", "paper", "--out", "x"],
      ["export", "--task", "svhn"],
    ]) {
      assert.equal((await damlab("tasks", ...argv)).code, 2, argv.join(" "));
    }
  });
});
