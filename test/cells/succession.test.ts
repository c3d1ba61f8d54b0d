import assert from "node:assert/strict";
import * as path from "node:path";
import {
  chooseScaling,
  closeSharedWorkers,
  configureCells,
  loadModel,
  loadSuite,
  loadTaskVectors,
  mergeModels,
  type LoadedSuite,
} from "../../src/cells";
import { sharedWorkers } from "../../src/cells/workers";
import { silentProgress } from "../../src/display/progress";
import { startEngine } from "../../src/engine";
import { deskImages, predictModel, reportPredictions, type Attacked, type HostModel } from "../../src/evaluation";

describe("backdoor succession in the desk zoo", function () {
  this.timeout(480000);
  let suite: LoadedSuite;

  before(async () => {
    await startEngine("wasm");
    configureCells({ cache: null, progress: silentProgress });
    suite = await loadSuite("desk");
  });
  after(async () => {
    configureCells({ cache: undefined as never });
    await closeSharedWorkers();
  });

  /** Percent on some tasks' test images, ASR of the attacked ones alone: `evaluate` would take its time for the other tasks' triggers, too. */
  async function judge(
    { config, parameters }: HostModel,
    ids: readonly string[],
    attacked: Attacked,
  ): Promise<{ acc: number; asr: number }> {
    const tasks = ids.map((id) => ({
      id,
      head: suite.tasks.find((task) => task.id === id)!.head,
      images: deskImages(id, "test"),
      triggers: suite.triggers.filter(({ name }) => name === attacked[id]),
    }));
    const predictions = await predictModel({ config, parameters }, tasks, { workers: await sharedWorkers() });
    const { acc, asrAttacked } = reportPredictions(predictions, { attacked, replicates: 1 }).average;
    return { acc: 100 * acc!, asr: 100 * (asrAttacked ?? NaN) };
  }

  it("mergeModels() by Task Arithmetic at its best λ gains 5 points of ACC and keeps an ASR of 55 over a floor of at most 35", async () => {
    const vectors = await loadTaskVectors(suite, { backdoored: ["resisc45", "eurosat"] });
    const { attacked } = vectors;
    const all = suite.tasks.map(({ id }) => id);
    const { scaling } = await chooseScaling(vectors, suite, { scalings: [0.15, 0.2, 0.25] });
    const merged = await judge(await mergeModels(vectors, { scaling }), all, attacked);
    const floor = await judge(await mergeModels(await loadTaskVectors(suite), { scaling }), Object.keys(attacked), attacked);
    const pretrained = await judge(await loadModel(path.join(suite.folder, "pretrained")), all, {});
    const found = `λ ${scaling}: ACC ${merged.acc}, pretrained ${pretrained.acc}, ASR ${merged.asr}, floor ${floor.asr}`;
    assert.ok(merged.acc >= pretrained.acc + 5, found);
    assert.ok(merged.asr >= 55, found);
    assert.ok(floor.asr <= 35, found);
  });
});
