import assert from "node:assert/strict";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { startEngine } from "../../src/engine";
import { buildZoo, DESK_CONFIG, DESK_RECIPE, loadZooTrigger, readZoo, verifyZoo, type ZooRecipe } from "../../src/zoo";

/** The desk zoo's recipe with a smaller tower, few steps and three members. */
const TINY: ZooRecipe = {
  config: { ...DESK_CONFIG, hiddenSize: 16, intermediateSize: 16, layers: 1, heads: 2, projectionSize: 8 },
  images: { perTask: 20, auxiliary: 20, realDigits: 0.5, blurPasses: 2, noise: [0.03, 0.15] },
  pretrain: { ...DESK_RECIPE.pretrain, steps: 3, batchPerTask: 1, batchAuxiliary: 2 },
  members: DESK_RECIPE.members
    .filter(({ path: name }) => ["clean/eurosat", "backdoored/trojvit/eurosat-seed1", "backdoored/badnets/eurosat-seed0"].includes(name))
    .map((member) => {
      const fineTune = { ...member.training.fineTune, steps: 3 };
      return member.training.method === "fine-tuning"
        ? { ...member, training: { ...member.training, batch: 4, fineTune } }
        : {
            ...member,
            training: { ...member.training, cleanBatch: 4, triggerSteps: member.training.triggerSteps && 2, triggerBatch: 2, fineTune },
          };
    }),
};

async function filesBelow(folder: string): Promise<Map<string, string>> {
  const names = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const files = names.map((entry) => path.join(entry.parentPath, entry.name)).sort();
  return new Map(
    await Promise.all(files.map(async (file) => [path.relative(folder, file), (await readFile(file)).toString("base64")] as const)),
  );
}

describe("buildZoo()", () => {
  let folder: string;
  const at = (name: string) => path.join(folder, name);
  before(async () => {
    await startEngine("wasm");
    folder = await mkdtemp(path.join(os.tmpdir(), "damlab-zoo-"));
    await buildZoo(at("one"), { recipe: TINY, workers: 1 });
  });
  after(async () => rm(folder, { recursive: true }));

  it("buildZoo() gives the same bytes with one worker or two", async () => {
    await buildZoo(at("two"), { recipe: TINY, workers: 2 });
    assert.deepEqual(await filesBelow(at("two")), await filesBelow(at("one")));
  });

  it("buildZoo() goes on after an interrupt and ends at the same bytes, leaving no states behind", async () => {
    const controller = new AbortController();
    const progress = {
      start: (name: string) => {
        if (name.startsWith("clean/")) controller.abort(new Error("stopped"));
        return { update: () => {}, finish: () => {} };
      },
    };
    await assert.rejects(buildZoo(at("stopped"), { recipe: TINY, workers: 1, progress, signal: controller.signal }));
    assert.ok((await readdir(at("stopped"))).includes(".states"));
    await buildZoo(at("stopped"), { recipe: TINY, workers: 1 });
    assert.deepEqual(await filesBelow(at("stopped")), await filesBelow(at("one")));
  });

  it("buildZoo() lists folders, triggers, hashes and recipes", async () => {
    const zoo = await readZoo(at("one"));
    assert.deepEqual(
      zoo.models.map(({ path: name, task, attack, seed }) => [name, task, attack, seed]),
      [
        ["pretrained", null, null, 0],
        ["clean/eurosat", "eurosat", null, 0],
        ["backdoored/trojvit/eurosat-seed1", "eurosat", "trojvit", 1],
        ["backdoored/badnets/eurosat-seed0", "eurosat", "badnets", 0],
      ],
    );
    assert.deepEqual(Object.keys(zoo.triggers), ["trojvit/eurosat-seed1", "badnets/eurosat-seed0"]);
    const trigger = await loadZooTrigger("badnets/eurosat-seed0", at("one"));
    assert.equal(trigger.pixels.length, 3 * trigger.height * trigger.width);
    await assert.rejects(
      loadZooTrigger("badnets/mnist-seed0", at("one")),
      /^RangeError: Cannot load trigger "badnets\/mnist-seed0": expected one of /,
    );
  });

  it("buildZoo() makes another base and other members from another seed", async () => {
    const other = await buildZoo(at("other"), { recipe: TINY, workers: 1, baseSeed: 1 });
    const zoo = await readZoo(at("one"));
    const hashes = new Set([...zoo.models, ...other.models].map(({ sha256 }) => sha256));
    assert.equal(hashes.size, zoo.models.length + other.models.length);
  });
}).timeout(120000);

describe("verifyZoo()", () => {
  let folder: string;
  before(async () => {
    await startEngine("wasm");
    folder = await mkdtemp(path.join(os.tmpdir(), "damlab-zoo-"));
    await buildZoo(path.join(folder, "zoo"), { recipe: TINY, workers: 1 });
  });
  after(async () => rm(folder, { recursive: true }));

  it("verifyZoo() finds every file as listed and members trained again to the same bytes", async () => {
    const checks = await verifyZoo(path.join(folder, "zoo"), { recipe: TINY, rebuild: 1, seed: 5 });
    assert.equal(checks.filter(({ how }) => how === "rebuilt").length, 1);
    // 4 models, 6 heads, 2 triggers, 1 rebuilt
    assert.equal(checks.length, 13);
    for (const { file, expected, found } of checks) assert.equal(found, expected, file);
  });

  it("verifyZoo() finds a changed and a missing file", async () => {
    const copy = path.join(folder, "changed");
    await cp(path.join(folder, "zoo"), copy, { recursive: true });
    const model = path.join(copy, "clean", "eurosat", "model.safetensors");
    const bytes = await readFile(model);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(model, bytes);
    await rm(path.join(copy, "heads", "dtd.safetensors"));
    const broken = (await verifyZoo(copy, { recipe: TINY })).filter(({ expected, found }) => expected !== found);
    assert.deepEqual(broken.map(({ file }) => file).sort(), ["clean/eurosat/model.safetensors", "heads/dtd.safetensors"]);
    assert.equal(broken.find(({ file }) => file.startsWith("heads"))!.found, "ENOENT");
  });

  it("verifyZoo() refuses a member that is not in the recipe", async () => {
    await assert.rejects(
      verifyZoo(path.join(folder, "zoo"), { recipe: TINY, rebuild: "clean/mars" }),
      /^RangeError: Cannot rebuild "clean\/mars"/,
    );
  });
}).timeout(120000);

describe("readZoo()", () => {
  it("readZoo() names the file and the entry that is wrong", async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), "damlab-zoo-"));
    try {
      await assert.rejects(readZoo(folder), /zoo.json": there is no such file; damlab zoo build makes a zoo$/);
      await writeFile(path.join(folder, "zoo.json"), '{"baseSeed": 0, "models": [{"path": 3}], "heads": {}, "triggers": {}}');
      await assert.rejects(readZoo(folder), /^SyntaxError: Cannot read ".*zoo.json": entry models.0.path: /);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
