/** A tower so small that training steps take milliseconds, and images that it can learn. */
import { randomStream } from "../../src/engine";
import type { HostTensor } from "../../src/checkpoints";
import { visionParameterShapes } from "../../src/models/vision";
import type { VisionConfig } from "../../src/models/config";
import type { ZeroShotHead } from "../../src/models/zeroShot";
import type { ImageSet } from "../../src/tasks";

export const PICO_CONFIG: VisionConfig = {
  hiddenSize: 8,
  intermediateSize: 16,
  layers: 1,
  heads: 2,
  patchSize: 4,
  imageSize: 8,
  projectionSize: 4,
  activation: "quick_gelu",
  layerNormEpsilon: 1e-5,
};

export function picoParameters(seed = 0): Map<string, HostTensor> {
  return new Map(
    [...visionParameterShapes(PICO_CONFIG)].map(([name, shape]) => {
      const count = shape.reduce((product, size) => product * size, 1);
      const values =
        name.includes("norm") && name.endsWith("weight") ? new Float32Array(count).fill(1) : randomStream(seed, name).normals(count, 0.3);
      return [name, { shape, values }];
    }),
  );
}

/** Three classes: unit vectors of the embedding space. */
export function picoHead(): ZeroShotHead {
  const values = new Float32Array(12);
  for (let row = 0; row < 3; row++) values[row * 4 + row] = 1;
  return { weight: { shape: [3, 4], values }, logitScale: Math.log(10) };
}

/** Class c has channel c bright, with noise. */
export function picoImages(count = 30, seed = 0): ImageSet {
  const random = randomStream(seed, "images");
  const labels = Uint8Array.from({ length: count }, (_, index) => index % 3);
  const images = Uint8Array.from({ length: count * 3 * 64 }, (_, place) => {
    const channel = Math.floor(place / 64) % 3;
    return (channel === labels[Math.floor(place / 192)] ? 160 : 40) + random.integer(60);
  });
  return { images, labels, count, channels: 3, height: 8, width: 8 };
}
