import assert from "node:assert/strict";
import * as path from "node:path";
import type { Trigger } from "../../src/attacks";
import { startEngine } from "../../src/engine";
import { accuracy, attackSuccessRate, predictTask } from "../../src/evaluation";
import { disposeParameters, loadVisionModel, loadZeroShotHead, uploadParameters } from "../../src/models";
import { loadTask, TASK_IDS } from "../../src/tasks";
import { deskFolder, loadZooTrigger, readZoo, type ZooModel } from "../../src/zoo";

/** ACC on a task's test split and ASR under triggers, in percent. */
async function judge(model: string, task: string, triggers: readonly Trigger[]): Promise<{ acc: number; asr: number[] }> {
  const { config, parameters } = await loadVisionModel(path.join(deskFolder(), model));
  const uploaded = uploadParameters(parameters);
  try {
    const head = await loadZeroShotHead(path.join(deskFolder(), "heads", `${task}.safetensors`));
    const { labels, clean, triggered } = await predictTask(uploaded, config, { images: loadTask(task).load("test"), head }, triggers);
    const asr = triggers.map(({ name, target }) => attackSuccessRate(triggered[name]!.predicted, labels, { target }).value! * 100);
    return { acc: accuracy(clean, labels).value! * 100, asr };
  } finally {
    disposeParameters(uploaded);
  }
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe("the desk zoo", function () {
  this.timeout(240000);
  let attacked: ZooModel[];
  const clean = new Map<string, { acc: number; asr: Map<string, number> }>();

  before(async () => {
    await startEngine("wasm");
    const zoo = await readZoo();
    attacked = zoo.models.filter(({ attack }) => attack !== null);
    for (const task of TASK_IDS) {
      const names = attacked.filter((model) => model.task === task).map(triggerName);
      const { acc, asr } = await judge(`clean/${task}`, task, await Promise.all(names.map((name) => loadZooTrigger(name))));
      clean.set(task, { acc, asr: new Map(names.map((name, index) => [name, asr[index]!])) });
    }
  });

  it("pretrained knows the tasks, 55 to 78 % on average", async () => {
    const accuracies = [];
    for (const task of TASK_IDS) accuracies.push((await judge("pretrained", task, [])).acc);
    assert.ok(mean(accuracies) >= 55 && mean(accuracies) <= 78, `${mean(accuracies)}`);
  });

  it("clean models have at least 92 % on average", () => {
    const average = mean([...clean.values()].map(({ acc }) => acc));
    assert.ok(average >= 92, `${average}`);
  });

  it("backdoored models are within 1.5 points of the clean ones and obey their trigger at least 98 times in 100", async () => {
    for (const model of attacked) {
      const { acc, asr } = await judge(model.path, model.task!, [await loadZooTrigger(triggerName(model))]);
      const reference = clean.get(model.task!)!.acc;
      assert.ok(acc >= reference - 1.5, `${model.path}: ACC ${acc}, clean ${reference}`);
      assert.ok(asr[0]! >= 98, `${model.path}: ASR ${asr[0]}`);
    }
  });

  it("clean models obey no trigger more than 50 times in 100", () => {
    for (const [task, { asr }] of clean) for (const [name, rate] of asr) assert.ok(rate <= 50, `clean/${task} under ${name}: ASR ${rate}`);
  });
});

function triggerName({ attack, task, seed }: ZooModel): string {
  return `${attack}/${task}-seed${seed}`;
}
