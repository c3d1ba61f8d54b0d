import * as assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { openSafetensors, writeSafetensors, type NamedTensors } from "../../src/checkpoints";
import { startEngine } from "../../src/engine";
import { loadVisionModel } from "../../src/models/loadVisionModel";
import { disposeParameters, uploadParameters } from "../../src/models/parameters";
import { embedImages, visionParameterShapes } from "../../src/models/vision";
import { generatePixels } from "./fixtures/generator";

const folders = path.join(__dirname, "fixtures", "folders");

describe("loadVisionModel", () => {
  let scratch: string;
  before(async () => {
    await startEngine();
    scratch = await mkdtemp(path.join(tmpdir(), "damlab-model-"));
  });
  after(() => rm(scratch, { recursive: true }));

  /** A copy of the small folder, its tensors changed. */
  async function changedFolder(name: string, change: (tensors: Map<string, { shape: readonly number[]; values: Float32Array }>) => void) {
    const folder = path.join(scratch, name);
    await cp(path.join(folders, "clip_vision_model"), folder, { recursive: true });
    const tensors = new Map(await readTensors(path.join(folder, "model.safetensors")));
    change(tensors);
    await writeSafetensors(path.join(folder, "model.safetensors"), tensors);
    return folder;
  }

  for (const kind of ["clip_vision_model", "clip"]) {
    it(`loadVisionModel() and embedImages() compute what transformers does with its own folder of model_type ${kind}`, async () => {
      const before = tf.memory().numTensors;
      const { config, parameters } = await loadVisionModel(path.join(folders, kind));
      assert.deepEqual([...parameters.keys()], [...visionParameterShapes(config).keys()]);
      const uploaded = uploadParameters(parameters);
      const pixels = generatePixels("folders", 2, config.imageSize);
      const embeddings = embedImages(uploaded, config, pixels);
      const expected = (await readTensors(path.join(folders, "embeddings.safetensors"))).get(kind)!;
      assert.deepEqual(embeddings.shape, expected.shape);
      const actual = embeddings.dataSync();
      assert.ok(expected.values.every((value, i) => Math.abs(value - actual[i]!) < 1e-5));
      assert.ok(expected.values.some((value) => Math.abs(value) > 0.1));
      disposeParameters(uploaded);
      tf.dispose([pixels, embeddings]);
      assert.equal(tf.memory().numTensors, before);
    });
  }

  it("loadVisionModel() takes a missing projection from the base, and only that", async () => {
    const base = path.join(folders, "clip_vision_model");
    const folder = await changedFolder("bare", (tensors) => tensors.delete("visual_projection.weight"));
    const expected = (await loadVisionModel(base)).parameters.get("visual_projection.weight");
    assert.deepEqual((await loadVisionModel(folder, { base })).parameters.get("visual_projection.weight"), expected);
    await assert.rejects(loadVisionModel(folder), {
      name: "TypeError",
      message: `Cannot load model "${folder}": expected parameter "visual_projection.weight" of shape [10,16], got none`,
    });
    const name = "vision_model.encoder.layers.1.mlp.fc1.bias";
    const holed = await changedFolder("holed", (tensors) => tensors.delete(name));
    await assert.rejects(loadVisionModel(holed, { base }), {
      message: `Cannot load model "${holed}": expected parameter "${name}" of shape [40], got none`,
    });
  });

  it("loadVisionModel() names a parameter whose shape is not the configuration's, and both shapes", async () => {
    const name = "vision_model.embeddings.position_embedding.weight";
    const folder = await changedFolder("narrow", (tensors) => tensors.set(name, { shape: [9, 16], values: new Float32Array(9 * 16) }));
    await assert.rejects(loadVisionModel(folder), {
      name: "TypeError",
      message: `Cannot load model "${folder}": expected parameter "${name}" of shape [10,16], got [9,16]`,
    });
  });

  it("loadVisionModel() rejects a file without configuration, and another kind of model", async () => {
    await assert.rejects(
      loadVisionModel(path.join(folders, "clip", "model.safetensors")),
      /expected a folder with config.json, got a file$/,
    );
    const folder = await changedFolder("text", () => undefined);
    const config = JSON.parse(await readFile(path.join(folder, "config.json"), "utf8")) as object;
    await writeFile(path.join(folder, "config.json"), JSON.stringify({ ...config, model_type: "bert" }));
    await assert.rejects(loadVisionModel(folder), /expected model_type "clip_vision_model" or "clip", got "bert"$/);
  });
});

async function readTensors(file: string): Promise<NamedTensors> {
  const source = await openSafetensors(file);
  const tensors = new Map<string, { shape: readonly number[]; values: Float32Array }>();
  for (const name of source.tensors.keys()) tensors.set(name, await source.readFloat32(name));
  await source.close();
  return tensors;
}
