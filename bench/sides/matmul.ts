/** A round is twenty products [800, 768] x [768, 3072], those of an MLP on sixteen images. */
import * as tf from "@tensorflow/tfjs-core";
import { matMul } from "../../src/engine";
import { randomValues, startBenchEngine } from "./models";
import { serveRounds } from "./serve";

async function main(): Promise<void> {
  const versions = await startBenchEngine();
  const a = tf.tensor2d(randomValues(800 * 768, 1, 1), [800, 768]);
  const b = tf.tensor2d(randomValues(768 * 3072, 1, 2), [768, 3072]);
  await serveRounds(versions, () => {
    for (let i = 0; i < 20; i++) {
      const product = tf.tidy(() => matMul(a, b));
      if (i === 19) product.dataSync();
      product.dispose();
    }
  });
}

void main();
