import * as assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { openSafetensors } from "../../src/checkpoints";
import { startEngine, valueAndGradients } from "../../src/engine";
import { parseVisionConfig, type VisionConfig } from "../../src/models/config";
import { embedImages } from "../../src/models/vision";
import { generateParameters, generatePixels, uniform } from "./fixtures/generator";

const folder = path.join(__dirname, "fixtures", "parity");

/** An entry of towers.json: `config` is the Hugging Face configuration. */
interface Tower {
  readonly config: object;
  readonly batch: number;
  readonly samples?: number;
}

const towers = JSON.parse(readFileSync(path.join(folder, "towers.json"), "utf8")) as Record<string, Tower>;

interface Case {
  readonly config: VisionConfig;
  readonly parameters: Map<string, tf.Tensor>;
  readonly pixels: tf.Tensor4D;
  readonly expected: Map<string, Float32Array>;
}

async function openCase(name: string): Promise<Case> {
  const tower = towers[name]!;
  const config = parseVisionConfig({ model_type: "clip_vision_model", ...tower.config });
  const expected = new Map<string, Float32Array>();
  const file = await openSafetensors(path.join(folder, `${name}.safetensors`));
  for (const tensor of file.tensors.keys()) expected.set(tensor, (await file.readFloat32(tensor)).values);
  await file.close();
  return { config, parameters: generateParameters(name, config), pixels: generatePixels(name, tower.batch, config.imageSize), expected };
}

function norm(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

function distance(a: Float32Array, b: Float32Array): number {
  assert.equal(a.length, b.length);
  return norm(a.map((value, index) => value - b[index]!));
}

describe("embedImages against transformers", () => {
  before(async () => void (await startEngine()));

  for (const [name, { batch, samples }] of Object.entries(towers)) {
    it(`embedImages() and its gradients equal those of transformers for tower ${name}`, async () => {
      const before = tf.memory().numTensors;
      const { config, parameters, pixels, expected } = await openCase(name);
      const direction = tf.tensor2d(uniform(`${name}/direction`, batch * config.projectionSize), [batch, config.projectionSize]);
      const embeddings = embedImages(parameters, config, pixels);
      const worst = tf.tidy(
        () => tf.max(tf.abs(tf.sub(embeddings, tf.tensor(expected.get("embeddings")!, embeddings.shape)))).dataSync()[0]!,
      );
      assert.ok(worst < 1e-4, `embeddings differ by ${worst}`);

      const loss = () => tf.sum(tf.mul(embedImages(parameters, config, pixels), direction)) as tf.Scalar;
      const { value, gradients } = valueAndGradients(loss, new Map<string, tf.Tensor>([...parameters, ["pixels", pixels]]));
      const errors = new Map<string, number>();
      for (const [key, gradient] of gradients) {
        const whole = gradient.dataSync() as Float32Array;
        const reference = expected.get(`gradient/${key}`)!;
        const count = reference.length;
        const actual = samples === undefined ? whole : reference.map((_, j) => whole[Math.floor((j * whole.length) / count)]!);
        // A key's bias shifts all scores of a query alike, so its true gradient is 0: what is left of it is measured by its weight's.
        const zero = key.endsWith("k_proj.bias");
        const trueNorm = expected.get(`norm/${zero ? key.replace("bias", "weight") : key}`)![0]!;
        const ofEntries = distance(actual, reference) / (zero ? trueNorm : norm(reference));
        errors.set(key, zero ? ofEntries : Math.max(ofEntries, Math.abs(norm(whole) - trueNorm) / trueNorm));
      }
      const [key, error] = [...errors].reduce((a, b) => (b[1] > a[1] ? b : a));
      if (process.env["PRINT_PARITY"])
        console.log(`      embeddings ${worst.toExponential(1)}, gradient ${error.toExponential(1)} of ${key}`);
      assert.equal(gradients.size, parameters.size + 1);
      assert.ok(error < 1e-4, `gradient of ${key} differs by ${error} of its norm`);
      tf.dispose([pixels, direction, embeddings, value, ...parameters.values(), ...gradients.values()]);
      assert.equal(tf.memory().numTensors, before);
    });
  }
});
