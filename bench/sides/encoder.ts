/**
 * A round is one pass of images through the vision tower.
 *
 *     encoder.ts SIZE IMAGES forward|backward        backward also gives the gradient of every parameter
 */
import * as tf from "@tensorflow/tfjs-core";
import { valueAndGradients } from "../../src/engine";
import { embedImages, uploadParameters } from "../../src/models";
import { CONFIGS, type ModelSize, randomParameters, randomValues, startBenchEngine } from "./models";
import { serveRounds } from "./serve";

async function main([size, images, direction]: readonly string[]): Promise<void> {
  const versions = await startBenchEngine();
  const config = CONFIGS[size as ModelSize];
  const parameters = uploadParameters(randomParameters(config));
  const shape: [number, number, number, number] = [Number(images), 3, config.imageSize, config.imageSize];
  const pixels = tf.tensor4d(
    randomValues(
      shape.reduce((product, length) => product * length),
      1,
      1,
    ),
    shape,
  );
  const forward = (): void => {
    const embeddings = tf.tidy(() => embedImages(parameters, config, pixels));
    embeddings.dataSync();
    embeddings.dispose();
  };
  const backward = (): void => {
    const { value, gradients } = valueAndGradients(() => tf.mean(tf.square(embedImages(parameters, config, pixels))), parameters);
    value.dataSync();
    for (const gradient of gradients.values()) gradient.dataSync();
    tf.dispose([value, ...gradients.values()]);
  };
  await serveRounds(versions, direction === "backward" ? backward : forward);
}

void main(process.argv.slice(2));
