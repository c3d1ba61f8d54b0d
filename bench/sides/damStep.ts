/**
 * A round is some iterations of DAM as `runDam` runs them, by default two, one for each mask; with `released`, one step of the released algorithm.
 *
 *     damStep.ts SIZE IMAGES TASKS dual|released [ITERATIONS]        IMAGES is a task's batch
 */
import { DAM_DEFAULTS, runDam, type DamContext } from "../../src/dam";
import { isSingleThreaded, randomStream, runningEngine } from "../../src/engine";
import { AdaptationTower, createAdaptationWorkers, type RunStore } from "../../src/merging/adaptive";
import { loadTask } from "../../src/tasks";
import { CONFIGS, randomHead, randomParameters, randomTaskVector, startBenchEngine, type ModelSize } from "./models";
import { serveRounds } from "./serve";

async function main([size, images, tasks, variant, iterations = variant === "released" ? "1" : "2"]: readonly string[]): Promise<void> {
  const versions = await startBenchEngine();
  const workers = size !== "pico" && isSingleThreaded(runningEngine()!.name) ? await createAdaptationWorkers() : undefined;
  const context = makeContext(size as ModelSize, Number(tasks), Math.max(2 * Number(images), 32));
  const passes = countPasses();
  if (variant === "dual") classifyShare(Number(images));
  const gate = openGate();
  const interrupt = new AbortController();
  const run = runDam(
    {
      ...context,
      ...(workers && { workers }),
      store: gate.store,
      saveEvery: Number(iterations),
      signal: interrupt.signal,
      whenInterrupted: "return",
    },
    {
      batchSize: Number(images),
      // f_0 is made before the iterations, or taken over from another run.
      labelSteps: 0,
      steps: 1_000_000,
      finalAdaptSteps: 0,
      ...(variant === "released" && { variant: "joint", referenceCompat: true }),
    },
  );
  run.catch((error: unknown) => {
    process.stderr.write(String(error));
    process.exit(1);
  });
  await serveRounds(
    versions,
    async () => {
      const before = { ...passes };
      await gate.next();
      return { passes: passes.passes - before.passes, passImages: passes.images - before.images };
    },
    () => process.exit(0),
  );
}

function makeContext(size: ModelSize, tasks: number, count: number): DamContext {
  const config = CONFIGS[size];
  const side = config.imageSize;
  const list = Array.from({ length: tasks }, (_, task) => task);
  return {
    config,
    pretrained: randomParameters(config),
    taskVectors: list.map((task) => randomTaskVector(config, task)),
    tasks: list.map((task) => {
      const random = randomStream(0, "bench images", task);
      const bytes = Uint8Array.from({ length: count * 3 * side * side }, () => random.integer(256));
      return {
        name: `task${task}`,
        head: randomHead(config, task),
        images: { images: bytes, count, channels: 3, height: side, width: side },
      };
    }),
  };
}

/**
 * In a run, f_0 classifies every adaptation image once, before the iterations that are measured. By the defaults, on the desk suite, that is 800
 * images a task for 200 iterations of 16: a quarter of a batch an iteration, which each clean pass classifies here.
 */
function classifyShare(images: number): void {
  const { classify, pass } = AdaptationTower.prototype;
  const share = Math.ceil((images * loadTask("eurosat").splits.adapt) / (DAM_DEFAULTS.steps * DAM_DEFAULTS.batchSize));
  AdaptationTower.prototype.classify = (_theta, batches) => Promise.resolve(batches.map(() => new Int32Array(1000)));
  AdaptationTower.prototype.pass = async function (theta, batches, request, room) {
    if (!request.pixels)
      await classify.call(
        this,
        theta,
        batches.map((batch) => batch.subarray(0, (batch.length / images) * share)),
      );
    return pass.call(this, theta, batches, request, room);
  };
}

/** Counts encoder passes with a backward pass, and the images in them. */
function countPasses(): { passes: number; images: number } {
  const counts = { passes: 0, images: 0 };
  const { pass } = AdaptationTower.prototype;
  AdaptationTower.prototype.pass = function (theta, batches, request, room) {
    counts.passes++;
    counts.images += batches.length;
    return pass.call(this, theta, batches, request, room);
  };
  return counts;
}

/** A store that saves nothing, but lets the run go on only when the next round is wanted. */
function openGate(): { store: RunStore; next(): Promise<void> } {
  let release: (() => void) | undefined;
  let arrive: (() => void) | undefined;
  let arrived = new Promise<void>((resolve) => (arrive = resolve));
  return {
    store: {
      load: async () => {
        await new Promise<void>((resolve) => (release = resolve));
        return null;
      },
      save: async () => {
        const waiting = new Promise<void>((resolve) => (release = resolve));
        arrive!();
        await waiting;
      },
    },
    async next() {
      arrived = new Promise<void>((resolve) => (arrive = resolve));
      while (!release) await new Promise((resolve) => setImmediate(resolve));
      const go = release;
      release = undefined;
      go();
      await arrived;
    },
  };
}

void main(process.argv.slice(2));
