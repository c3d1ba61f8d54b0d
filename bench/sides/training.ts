/**
 * A round is some steps of fine-tuning the desk model on batches of 64: gradient, clipping, Adam, as `fineTune` does them.
 *
 *     training.ts STEPS
 */
import { fineTune } from "../../src/training";
import { CONFIGS, randomHead, randomParameters, randomValues, startBenchEngine } from "./models";
import { serveRounds } from "./serve";

const BATCH = 64;

async function main([steps]: readonly string[]): Promise<void> {
  const versions = await startBenchEngine();
  const config = CONFIGS.desk;
  const pixels = randomValues(BATCH * 3 * config.imageSize ** 2, 1, 1);
  const batch = { pixels, labels: Int32Array.from({ length: BATCH }, (_, i) => i % 10), count: BATCH };
  const pretrained = randomParameters(config);
  const task = { name: "bench", pretrained, config, head: randomHead(config, 0), batches: () => batch };
  await serveRounds(versions, async () => {
    await fineTune(task, { steps: Number(steps), learningRate: 1e-4, warmup: 1, beta2: 0.999, clipNorm: 1 });
  });
}

void main(process.argv.slice(2));
