/**
 * Every public function that computes on the engine gives on `native` (under DAMLAB_ENGINE=gpu: on `gpu`) what it gives on `wasm`. Single passes
 * agree to rounding, 1e-4 of the largest value; loops of Adam amplify rounding where a gradient is near zero, so there 2e-2 of the largest value.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { optimizeTrigger, salientPlace, type AttackOptions } from "../../src/attacks";
import { runDam } from "../../src/dam";
import { predictTask } from "../../src/evaluation";
import { gelu, probeEngines, randomStream, startEngine, valueAndGradients } from "../../src/engine";
import { runAdaMerging } from "../../src/merging";
import { concreteAdaMerging, concreteTaskArithmetic } from "../../src/merging/adaptive";
import {
  cosineLogits,
  crossEntropy,
  embedImages,
  loadVisionModel,
  loadZeroShotHead,
  normalizeRows,
  uploadParameters,
} from "../../src/models";
import { loadTask } from "../../src/tasks";
import { fineTune, labelledBatches } from "../../src/training";
import { CONTEXT } from "../dam/pico";
import { skipBecause } from "../skip";
import { TENSORFLOW_ENGINE } from "./tensorflowEngine";
import { PICO_CONFIG, picoHead, picoImages, picoParameters } from "../training/pico";

const DATA = path.join(__dirname, "..", "..", "data", "desk");
const DESK = path.join(DATA, "pretrained");
const SHORT = { steps: 3, finalAdaptSteps: 2, labelSteps: 2, batchSize: 4, stickerMin: 2, stickerMax: 3 } as const;
const RECIPE = { steps: 4, learningRate: 1e-3, warmup: 1, beta2: 0.98, clipNorm: 1 };

interface Case {
  readonly name: string;
  readonly tolerance: number;
  compute(): Promise<Float32Array[]> | Float32Array[];
}

const ROUNDING = 1e-4;
const AFTER_ADAM = 2e-2;
const random = (name: string, shape: number[]) => tf.tensor(randomStream(3, name).normals(tf.util.sizeFromShape(shape)), shape);
const values = (tensor: tf.Tensor) => tensor.dataSync().slice() as Float32Array;
const inTidy = (work: () => tf.Tensor[]) => () => {
  const found: Float32Array[] = [];
  tf.tidy(() => void found.push(...work().map(values)));
  return found;
};
const parametersOf = (named: ReadonlyMap<string, { readonly values: Float32Array }>) => [...named.values()].map((each) => each.values);

const victim = () => ({ task: "test", pretrained: picoParameters(), config: PICO_CONFIG, head: picoHead(), images: picoImages() });
const tower = () => new Map<string, tf.Tensor>(uploadParameters(picoParameters()));
const ATTACK = { strength: 1, triggerBatch: 6, triggerLearningRate: 0.05 } as AttackOptions;

const CASES: readonly Case[] = [
  { name: "gelu()", tolerance: ROUNDING, compute: inTidy(() => [gelu(random("x", [7, 9]))]) },
  {
    name: "cosineLogits(), normalizeRows() and crossEntropy()",
    tolerance: ROUNDING,
    compute: inTidy(() => {
      const rows = normalizeRows(random("rows", [5, 8]) as tf.Tensor2D);
      const logits = cosineLogits(random("embeddings", [6, 8]) as tf.Tensor2D, rows, 10);
      return [rows, logits, crossEntropy(logits, tf.oneHot(tf.tensor1d([0, 1, 2, 3, 4, 0], "int32"), 5).toFloat() as tf.Tensor2D)];
    }),
  },
  {
    name: "embedImages() of the desk model, and all its gradients",
    tolerance: ROUNDING,
    compute: async () => {
      const { config, parameters } = await loadVisionModel(DESK);
      return inTidy(() => {
        const uploaded = uploadParameters(parameters);
        const pixels = random("pixels", [4, 3, config.imageSize, config.imageSize]) as tf.Tensor4D;
        const { value, gradients } = valueAndGradients(
          () => tf.mean(tf.square(embedImages(uploaded, config, pixels))) as tf.Scalar,
          new Map<string, tf.Tensor>([...uploaded, ["pixels", pixels]]),
        );
        return [embedImages(uploaded, config, pixels), value, ...gradients.values()];
      })();
    },
  },
  {
    name: "predictTask() of the desk model",
    tolerance: 0,
    compute: async () => {
      const { config, parameters } = await loadVisionModel(DESK);
      const head = await loadZeroShotHead(path.join(DATA, "heads", "eurosat.safetensors"));
      const images = loadTask("eurosat").load("validation", { limit: 100 });
      const uploaded = uploadParameters(parameters);
      const { clean } = await predictTask(uploaded, config, { images, head }, []);
      tf.dispose([...uploaded.values()]);
      return [Float32Array.from(clean)];
    },
  },
  {
    name: "fineTune()",
    tolerance: AFTER_ADAM,
    compute: async () => {
      const { config, head, images } = victim();
      const batches = labelledBatches(images, 6, randomStream(1, "batches"));
      return parametersOf(await fineTune({ name: "test", pretrained: picoParameters(), config, head, batches }, RECIPE));
    },
  },
  {
    name: "optimizeTrigger() and salientPlace()",
    tolerance: AFTER_ADAM,
    compute: async () => {
      const start = { name: "test", task: "test", target: 1, x: 1, y: 1, height: 3, width: 3, pixels: new Float32Array(27).fill(0.5) };
      const { pixels } = await optimizeTrigger(victim(), start, tower, 3, randomStream(2, "trigger"), ATTACK);
      const { x, y } = salientPlace(victim(), 1, 3, tower(), labelledBatches(picoImages(), 6, randomStream(1, "place"))(0));
      return [pixels, Float32Array.of(x, y)];
    },
  },
  {
    name: "runAdaMerging()",
    tolerance: AFTER_ADAM,
    compute: async () => [(await runAdaMerging(CONTEXT, "layer", { steps: 3, batchSize: 4 })).coefficients.values],
  },
  {
    name: "concreteTaskArithmetic.merge()",
    tolerance: AFTER_ADAM,
    compute: async () => {
      const options = { ...concreteTaskArithmetic.defaults, steps: 2, batchSize: 4 };
      return parametersOf((await concreteTaskArithmetic.merge(CONTEXT, options)).parameters);
    },
  },
  {
    name: "concreteAdaMerging.merge()",
    tolerance: AFTER_ADAM,
    compute: async () => {
      const options = { ...concreteAdaMerging.defaults, steps: 2, batchSize: 4 };
      return parametersOf((await concreteAdaMerging.merge(CONTEXT, options)).parameters);
    },
  },
  ...(["dual", "joint"] as const).map((variant): Case => ({
    name: `runDam() of variant ${variant}`,
    tolerance: AFTER_ADAM,
    compute: async () => parametersOf((await runDam(CONTEXT, { ...SHORT, variant })).parameters),
  })),
];

describe(`engine ${TENSORFLOW_ENGINE} and engine wasm`, () => {
  before(skipWithoutNative);
  after(async () => void (await startEngine("wasm")));

  for (const { name, tolerance, compute } of CASES) {
    it(`${name} agree${/ and /.test(name) ? "" : "s"} on both`, async () => {
      await startEngine("wasm");
      const expected = await compute();
      await startEngine(TENSORFLOW_ENGINE);
      const before = tf.memory().numTensors;
      const found = await compute();
      assert.equal(tf.memory().numTensors, before);
      assert.equal(found.length, expected.length);
      found.forEach((actual, index) => assertAgrees(actual, expected[index]!, tolerance, index));
    });
  }
});

describe("engine native under signals", () => {
  before(skipWithoutNative);

  it("matMul() survives signals that arrive in the middle of it", async () => {
    const engine = path.join(__dirname, "..", "..", "src", "engine");
    const script = `
      require("tsx/cjs");
      process.on("SIGUSR2", () => undefined);
      const tf = require("@tensorflow/tfjs-core");
      const { startEngine, matMul } = require(${JSON.stringify(engine)});
      startEngine(${JSON.stringify(TENSORFLOW_ENGINE)}).then(async () => {
        const [a, b] = [tf.ones([1632, 96]), tf.ones([96, 384])];
        process.send("ready");
        for (const end = Date.now() + 2500; Date.now() < end; await new Promise(setImmediate))
          for (let i = 0; i < 20; i++) tf.tidy(() => void matMul(a, b));
        process.exit(0);
      });`;
    const child = spawn(process.execPath, ["-e", script], {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      cwd: path.join(engine, "..", ".."),
    });
    let stderr = "";
    child.stderr!.on("data", (text: Buffer) => (stderr += text.toString()));
    let timer: NodeJS.Timeout | undefined;
    child.on("message", () => (timer = setInterval(() => child.kill("SIGUSR2"), 1)));
    const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
      child.on("close", (...ended) => resolve(ended as [number | null, string | null])),
    );
    clearInterval(timer);
    assert.deepEqual([code, signal], [0, null], stderr);
  });
});

function skipWithoutNative(this: Mocha.Context): void {
  const { available, reason } = probeEngines().find(({ name }) => name === TENSORFLOW_ENGINE)!;
  if (!available) skipBecause(this, `engine ${TENSORFLOW_ENGINE} is ${reason}`);
}

function assertAgrees(actual: Float32Array, expected: Float32Array, tolerance: number, index: number): void {
  assert.equal(actual.length, expected.length);
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const limit = tolerance * Math.max(largest, 1e-3);
  actual.forEach((value, place) => {
    const difference = Math.abs(value - expected[place]!);
    assert.ok(difference <= limit, `output ${index}, value ${place}: ${value} and ${expected[place]}, of at most ${largest}`);
  });
}
