import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import type { Trigger } from "../../src/attacks/trigger";
import { randomStream, startEngine } from "../../src/engine";
import { createEvaluationWorkers, deskImages, predictModel, predictTask, type EvaluationTask, type HostModel } from "../../src/evaluation";
import { cosineLogits, embedImages, uploadParameters, disposeParameters, visionParameterShapes } from "../../src/models";
import { loadTask, type ImageSet } from "../../src/tasks";
import { picoConfig as config } from "../cells/fixtures/picoZoo";

function picoModel(seed: number): HostModel {
  const shapes = [...visionParameterShapes(config)];
  const values = (name: string, size: number): Float32Array => randomStream(seed, "pico", name).normals(size, 0.3);
  return {
    config,
    parameters: new Map(
      shapes.map(([name, shape]) => [
        name,
        {
          shape,
          values: values(
            name,
            shape.reduce((a, b) => a * b, 1),
          ),
        },
      ]),
    ),
  };
}

/** Unit rows that point anywhere. */
function picoHead(classes: number): EvaluationTask["head"] {
  const rows = Array.from({ length: classes }, (_, row) => randomStream(7, "head", row).normals(4));
  const unit = rows.map((row) => row.map((value) => value / Math.hypot(...row)));
  return { weight: { shape: [classes, 4], values: Float32Array.from(unit.flatMap((row) => [...row])) }, logitScale: Math.log(20) };
}

const trigger: Trigger = {
  name: "badnets/mnist-seed0",
  task: "mnist",
  target: 0,
  pixels: new Float32Array(3 * 12 * 12).fill(1),
  x: 20,
  y: 20,
  height: 12,
  width: 12,
};
const images = (count: number): ImageSet => loadTask("eurosat").load("test", { limit: count });

describe("predictions", () => {
  before(() => startEngine());

  it("predictTask() gives the classes that the whole batch at once would give, clean and with the trigger", async () => {
    const model = picoModel(0);
    const parameters = uploadParameters(model.parameters);
    const set = images(100);
    const head = picoHead(10);
    const before = tf.memory().numTensors;
    // 100 images are a batch of 80 and one of 20.
    const predictions = await predictTask(parameters, config, { images: set, head }, [trigger]);
    assert.equal(tf.memory().numTensors, before);
    const plain = Float32Array.from(set.images, (byte) => (byte / 255 - 0.5) / 0.25);
    const stamped = plain.map((value, index) => {
      const [row, column] = [Math.floor(index / 32) % 32, index % 32];
      // White in [0, 1] is (1 − .5) / .25 = 2 for the model.
      return row >= 20 && column >= 20 ? 2 : value;
    });
    assert.deepEqual([...predictions.clean], classify(parameters, head, plain));
    assert.deepEqual([...predictions.triggered[trigger.name]!.predicted], classify(parameters, head, stamped));
    assert.notDeepEqual([...predictions.clean], [...predictions.triggered[trigger.name]!.predicted]);
    assert.deepEqual([...predictions.labels], [...set.labels]);
    disposeParameters(parameters);
  });

  it("predictTask() rejects a head of another size", async () => {
    const head = { ...picoHead(2), weight: { shape: [4, 2], values: new Float32Array(8) } };
    await assert.rejects(
      predictTask(new Map(), config, { images: images(1), head }, []),
      new TypeError("Cannot predict classes: expected a head of shape [classes, 4] for this tower, got [4, 2]"),
    );
  });

  it("predictModel() gives the same predictions here, with one worker and with two", async () => {
    const model = picoModel(1);
    const tasks: EvaluationTask[] = ["eurosat", "dtd", "cars"].map((id, index) => ({
      id,
      head: picoHead(loadTask(id).classes.length),
      images: deskImages(id, "validation", 90),
      triggers: index === 1 ? [trigger] : [],
    }));
    const here = await predictModel(model, tasks);
    assert.deepEqual([...here.keys()], ["eurosat", "dtd", "cars"]);
    for (const count of [1, 2]) {
      const workers = await createEvaluationWorkers(count);
      try {
        const progress: number[] = [];
        assert.deepEqual(await predictModel(model, tasks, { workers, onProgress: (done, total) => progress.push(done / total) }), here);
        assert.equal(progress.at(-1), 1);
      } finally {
        await workers.close();
      }
    }
  });

  it("predictModel() leaves no tensors behind, done or interrupted", async () => {
    const task: EvaluationTask = { id: "eurosat", head: picoHead(10), images: images(200), triggers: [] };
    const before = tf.memory().numTensors;
    await predictModel(picoModel(0), [task]);
    const controller = new AbortController();
    const onProgress = (done: number): void => {
      if (done === 80) controller.abort(new Error("Enough"));
    };
    await assert.rejects(predictModel(picoModel(0), [task], { signal: controller.signal, onProgress }), new Error("Enough"));
    assert.equal(tf.memory().numTensors, before);
  });

  it("predictModel() on workers stops when it is interrupted, and says what failed", async () => {
    const workers = await createEvaluationWorkers(1);
    try {
      const task = (head: EvaluationTask["head"]): EvaluationTask => ({ id: "eurosat", head, images: images(800), triggers: [trigger] });
      const controller = new AbortController();
      const running = predictModel(picoModel(0), [task(picoHead(10))], { workers, signal: controller.signal });
      controller.abort(new Error("Enough"));
      await assert.rejects(running, new Error("Enough"));
      const wrong = { ...picoHead(2), weight: { shape: [4, 2], values: new Float32Array(8) } };
      await assert.rejects(
        predictModel(picoModel(0), [task(picoHead(10)), task(wrong)], { workers }),
        /expected a head of shape \[classes, 4\]/,
      );
    } finally {
      await workers.close();
    }
  });
});

function classify(parameters: ReadonlyMap<string, tf.Tensor>, head: EvaluationTask["head"], pixels: Float32Array): number[] {
  return tf.tidy(() => {
    const embeddings = embedImages(parameters, config, tf.tensor4d(pixels, [pixels.length / 3072, 3, 32, 32]));
    const directions = tf.tensor2d(head.weight.values, head.weight.shape as [number, number]);
    return [...tf.argMax(cosineLogits(embeddings, directions, 20), 1).dataSync()];
  });
}
