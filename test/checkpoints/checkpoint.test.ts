import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadNamedTensors, openCheckpoint, resolveNames, writeCheckpoint, writeSafetensors } from "../../src/checkpoints";
import { withFolder } from "./expected";
import { CONFIG, picoTower, renamed } from "./pico";

const BARE = (name: string): string => name.replace("vision_model.", "");
const POSITIONS = {
  name: "vision_model.embeddings.position_ids",
  shape: [1, 3],
  dtype: "I64",
  values: BigInt64Array.of(0n, 1n, 2n),
} as const;

describe("openCheckpoint()", () => {
  const wrappers: readonly [string, (name: string) => string][] = [
    ["the canonical names", (name) => name],
    ["clip.", (name) => `clip.${name}`],
    ["model.", (name) => `model.${name}`],
    ["model.vision_tower.", (name) => `model.vision_tower.${name}`],
    ["vision_model. around vision_model.", (name) => (name.startsWith("visual") ? name : `vision_model.${name}`)],
    ["the bare tower's names", BARE],
    ["the bare tower in a module.", (name) => `module.${BARE(name)}`],
  ];
  for (const [title, rename] of wrappers) {
    it(`resolves ${title}, in the module's order`, () =>
      withFolder(async (folder) => {
        const tower = picoTower(1);
        await writeCheckpoint(join(folder, "model"), { config: CONFIG, tensors: renamed(tower, rename) });
        const checkpoint = await openCheckpoint(join(folder, "model"));
        assert.deepEqual([...checkpoint.tensors.keys()], [...tower.keys()]);
        assert.deepEqual(await loadNamedTensors(checkpoint), tower);
        assert.deepEqual(checkpoint.config, CONFIG);
        assert.deepEqual([checkpoint.otherNames, checkpoint.namesFromBase], [[], []]);
        assert.equal(checkpoint.storedName("visual_projection.weight"), rename("visual_projection.weight"));
        assert.equal(checkpoint.metadata.get("format"), "pt");
        await checkpoint.close();
      }));
  }

  it("leaves a full CLIP model's text tower aside, and says so", () =>
    withFolder(async (folder) => {
      const place = join(folder, "model");
      const scalar = { shape: [], values: Float32Array.of(4.6) };
      const text = ["logit_scale", "text_model.encoder.layers.0.mlp.fc1.weight", "text_projection.weight"];
      const config = { model_type: "clip", vision_config: { hidden_size: 4 }, projection_dim: 2 };
      await writeCheckpoint(place, { config, tensors: new Map([...picoTower(1), ...text.map((name) => [name, scalar] as const)]) });
      const checkpoint = await openCheckpoint(place);
      assert.deepEqual([...checkpoint.otherNames].sort(), text);
      assert.deepEqual([...checkpoint.tensors.keys()], [...picoTower(1).keys()]);
      assert.deepEqual(checkpoint.config, config);
      await checkpoint.close();
    }));

  it("takes a missing projection and integer buffers from the base", () =>
    withFolder(async (folder) => {
      const [base, place] = [join(folder, "base"), join(folder, "model")];
      const tower = picoTower(2);
      const list = (tensors: typeof tower) => [...tensors].map(([name, tensor]) => ({ name, ...tensor }));
      await writeCheckpoint(base, { config: CONFIG, tensors: [...list(picoTower(1)), POSITIONS] });
      tower.delete("visual_projection.weight");
      await writeCheckpoint(place, { config: CONFIG, tensors: renamed(tower, BARE) });
      const alone = await openCheckpoint(place);
      assert.ok(!alone.tensors.has("visual_projection.weight"));
      await alone.close();
      const checkpoint = await openCheckpoint(place, { base });
      assert.deepEqual([...checkpoint.namesFromBase].sort(), [POSITIONS.name, "visual_projection.weight"]);
      const projection = await checkpoint.readFloat32("visual_projection.weight");
      assert.deepEqual(projection, picoTower(1).get("visual_projection.weight"));
      assert.deepEqual(await checkpoint.readValues(POSITIONS.name), POSITIONS.values);
      // Buffers are no parameters.
      assert.deepEqual([...(await loadNamedTensors(checkpoint)).keys()], [...picoTower(1).keys()]);
      await checkpoint.close();
    }));

  it("opens a plain file, whose own names stay where they are no tower's", () =>
    withFolder(async (folder) => {
      const file = join(folder, "other.safetensors");
      await writeSafetensors(file, new Map([["b.weight", { shape: [1], values: Float32Array.of(1) }]]));
      const checkpoint = await openCheckpoint(file);
      assert.deepEqual([[...checkpoint.tensors.keys()], checkpoint.config], [["b.weight"], undefined]);
      await checkpoint.close();
    }));

  it("refuses folders that hold no such model", () =>
    withFolder(async (folder) => {
      const place = join(folder, "model");
      const refuse = (message: RegExp) => assert.rejects(openCheckpoint(place), message);
      await refuse(/^Error: Cannot open ".*model": expected a checkpoint's file or folder, got no such file$/);
      await writeCheckpoint(place, { config: { model_type: "bert" }, tensors: picoTower(1) });
      await refuse(/^TypeError: Cannot open ".*config\.json": expected model_type "clip_vision_model" or "clip", got "bert"$/);
      await writeCheckpoint(place, { config: {}, tensors: picoTower(1) });
      await refuse(/or "clip", got none$/);
      await writeFile(join(place, "config.json"), "{\n");
      await refuse(/^SafetensorsError: Cannot read ".*config\.json": expected JSON, got [^\n]*$/);
      await writeFile(join(place, "config.json"), "[]");
      await refuse(/expected an object, got another value$/);
      await writeCheckpoint(place, { config: CONFIG, tensors: new Map([["w", { shape: [0], values: new Float32Array(0) }]]) });
      await refuse(/expected tensors named "vision_model\.…", got none among 1$/);
      const twice = new Map([...picoTower(1), ...renamed(picoTower(1), (name) => `clip.${name}`)]);
      await writeCheckpoint(place, { config: CONFIG, tensors: twice });
      await refuse(/expected one tensor for "vision_model\.embeddings\.class_embedding", got "clip\.vision.*" and "vision.*"|got "vision/);
    }));
});

describe("resolveNames()", () => {
  it("takes no text tower for a vision tower", () => {
    const names = ["embeddings.token_embedding.weight", "encoder.layers.0.mlp.fc1.weight", "final_layer_norm.weight"];
    assert.deepEqual(resolveNames(names), { stored: new Map(), others: names });
  });
});

describe("writeCheckpoint()", () => {
  it("writes a folder that replaces the old one, with further files", () =>
    withFolder(async (folder) => {
      const place = join(folder, "model");
      await writeCheckpoint(place, { config: CONFIG, tensors: picoTower(1), extraFiles: { "old.txt": "" } });
      await writeCheckpoint(place, { config: CONFIG, tensors: picoTower(2), extraFiles: { "recipe.json": "{}\n" }, dtype: "F16" });
      assert.deepEqual((await readdir(place)).sort(), ["config.json", "model.safetensors", "recipe.json"]);
      assert.deepEqual(JSON.parse(await readFile(join(place, "config.json"), "utf8")), CONFIG);
      const checkpoint = await openCheckpoint(place);
      assert.equal(checkpoint.entry("visual_projection.weight").dtype, "F16");
      await checkpoint.close();
    }));

  it("refuses further files that lead elsewhere", () =>
    withFolder(async (folder) => {
      for (const name of ["../x", "a/b", "", "..", "config.json"]) {
        const writing = writeCheckpoint(join(folder, "m"), { config: CONFIG, tensors: picoTower(1), extraFiles: { [name]: "" } });
        await assert.rejects(writing, /^RangeError: Cannot write extra file ".*": expected a plain file name/);
      }
      assert.deepEqual(await readdir(folder), []);
    }));
});
