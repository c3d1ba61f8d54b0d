import * as assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { openSafetensors, writeSafetensors } from "../../src/checkpoints";
import { randomStream, startEngine, valueAndGradients } from "../../src/engine";
import { classLogits, loadZeroShotHead, saveZeroShotHead, type ZeroShotHead } from "../../src/models/zeroShot";

const DIM = 5;

/** Unit rows in random directions. */
function randomHead(classes: number): ZeroShotHead {
  const values = randomStream(0, "head").normals(classes * DIM);
  for (let row = 0; row < classes; row++) {
    const direction = values.subarray(row * DIM, (row + 1) * DIM);
    const length = Math.hypot(...direction);
    direction.forEach((value, i) => (direction[i] = value / length));
  }
  return { weight: { shape: [classes, DIM], values }, logitScale: Math.fround(Math.log(20)) };
}

describe("classLogits", () => {
  before(async () => void (await startEngine()));

  it("classLogits() is the scale times the cosine", () => {
    const before = tf.memory().numTensors;
    // (3, 4) has length 5: cosines 3/5 with (1, 0) and 4/5 with (0, 1); scale 10
    const head: ZeroShotHead = { weight: { shape: [2, 2], values: Float32Array.of(1, 0, 0, 1) }, logitScale: Math.log(10) };
    const embeddings = tf.tensor2d([3, 4, -30, 40], [2, 2]);
    const logits = classLogits(embeddings, head);
    [6, 8, -6, 8].forEach((expected, i) => assert.ok(Math.abs(logits.dataSync()[i]! - expected) < 1e-5));
    assert.deepEqual(logits.shape, [2, 2]);
    tf.dispose([embeddings, logits]);
    assert.equal(tf.memory().numTensors, before);
  });

  it("classLogits() has the gradient that finite differences show", () => {
    const before = tf.memory().numTensors;
    const head = randomHead(4);
    const point = randomStream(1, "embeddings").normals(3 * DIM);
    const squares = (x: tf.Tensor2D) => tf.sum(tf.square(classLogits(x, head))) as tf.Scalar;
    const at = (values: Float32Array) => tf.tidy(() => squares(tf.tensor2d(values, [3, DIM])).dataSync()[0]!);
    const embeddings = tf.tensor2d(point, [3, DIM]);
    const { value, gradients } = valueAndGradients(() => squares(embeddings), new Map([["embeddings", embeddings]]));
    const gradient = gradients.get("embeddings")!.dataSync() as Float32Array;
    const step = 1e-2;
    const largest = gradient.reduce((most, entry) => Math.max(most, Math.abs(entry)), 0);
    point.forEach((centre, i) => {
      const moved = (by: number) => at(point.map((value, j) => (j === i ? centre + by : value)));
      // central difference: error of order step² (relative 1e-3 here) and of float32 rounding / step
      assert.ok(Math.abs((moved(step) - moved(-step)) / (2 * step) - gradient[i]!) < 5e-3 * largest);
    });
    tf.dispose([embeddings, value, ...gradients.values()]);
    assert.equal(tf.memory().numTensors, before);
  });

  it("classLogits() rejects embeddings of another size", () => {
    const embeddings = tf.zeros([2, 7]) as tf.Tensor2D;
    assert.throws(
      () => classLogits(embeddings, randomHead(4)),
      /^TypeError: Cannot compute class logits: head \[4,5\] does not fit embeddings \[2,7\]$/,
    );
    embeddings.dispose();
  });
});

describe("zero-shot head files", () => {
  let folder: string;
  before(async () => (folder = await mkdtemp(path.join(tmpdir(), "damlab-head-"))));
  after(() => rm(folder, { recursive: true }));

  it("loadZeroShotHead() reads what saveZeroShotHead() wrote, with the agreed names and dtypes", async () => {
    const file = path.join(folder, "head.safetensors");
    const head = randomHead(3);
    await saveZeroShotHead(file, head);
    assert.deepEqual(await loadZeroShotHead(file), head);
    const stored = await openSafetensors(file);
    const entries = [...stored.tensors.values()].map(({ name, dtype, shape }) => `${name} ${dtype} [${shape}]`).sort();
    await stored.close();
    assert.deepEqual(entries, ["logit_scale F32 []", "weight F32 [3,5]"]);
  });

  it("saveZeroShotHead() refuses rows that are not of length 1, and writes nothing", async () => {
    const file = path.join(folder, "long.safetensors");
    const head: ZeroShotHead = { weight: { shape: [2, 2], values: Float32Array.of(1, 0, 3, 4) }, logitScale: 1 };
    await assert.rejects(saveZeroShotHead(file, head), {
      name: "RangeError",
      message: `Cannot write head "${file}": expected unit rows in tensor "weight", got row 1 of length 5`,
    });
    await assert.rejects(openSafetensors(file), { code: "ENOENT" });
  });

  it("loadZeroShotHead() names the file and the tensor of a malformed head", async () => {
    const file = path.join(folder, "bad.safetensors");
    const scale = { shape: [], values: Float32Array.of(1) };
    const unit = { shape: [1, 2], values: Float32Array.of(1, 0) };
    const load = () => loadZeroShotHead(file);
    await writeSafetensors(file, new Map([["logit_scale", scale]]));
    await assert.rejects(load, (error: Error) => error.message.includes('"weight"') && error.message.includes(file));
    await writeSafetensors(
      file,
      new Map([
        ["logit_scale", scale],
        ["weight", { ...unit, shape: [2] }],
      ]),
    );
    await assert.rejects(
      load,
      /^TypeError: Cannot read head ".*bad.safetensors": expected tensor "weight" of shape \[classes, dim\], got \[2\]$/,
    );
    await writeSafetensors(
      file,
      new Map([
        ["logit_scale", unit],
        ["weight", unit],
      ]),
    );
    await assert.rejects(load, /expected tensor "logit_scale" to be one number, got shape \[1,2\]$/);
    await writeSafetensors(
      file,
      new Map([
        ["logit_scale", { shape: [], values: Float32Array.of(NaN) }],
        ["weight", unit],
      ]),
    );
    await assert.rejects(load, /expected a finite "logit_scale", got NaN$/);
  });
});
