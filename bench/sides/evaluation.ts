/** A round is the desk model's predictions of 2,400 images, from bytes to classes, as `predictModel` gives them. */
import { createEvaluationWorkers, predictModel, type EvaluationTask } from "../../src/evaluation";
import { isSingleThreaded, runningEngine } from "../../src/engine";
import { CONFIGS, randomHead, randomParameters, startBenchEngine } from "./models";
import { serveRounds } from "./serve";

const TASKS = 6;
const COUNT = 400;

async function main(): Promise<void> {
  const versions = await startBenchEngine();
  const config = CONFIGS.desk;
  const workers = isSingleThreaded(runningEngine()!.name) ? await createEvaluationWorkers() : undefined;
  const model = { config, parameters: randomParameters(config) };
  const tasks = Array.from({ length: TASKS }, (_, task): EvaluationTask => {
    const bytes = Uint8Array.from({ length: COUNT * 3072 }, (_value, i) => (i * 2654435761 + task) >>> 24);
    const images = { images: bytes, labels: new Uint8Array(COUNT), count: COUNT, channels: 3, height: 32, width: 32 } as const;
    return { id: `task${task}`, head: randomHead(config, task), images, triggers: [] };
  });
  await serveRounds(
    versions,
    async () => {
      await predictModel(model, tasks, { workers });
    },
    () => process.exit(0),
  );
}

void main();
