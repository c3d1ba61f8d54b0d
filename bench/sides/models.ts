/** Towers of some sizes, filled with random numbers: speed does not depend on what they are. */
import type { HostTensor } from "../../src/checkpoints";
import { randomStream, startEngine } from "../../src/engine";
import { visionParameterShapes, type VisionConfig, type ZeroShotHead } from "../../src/models";
import { DESK_CONFIG } from "../../src/zoo/deskConfig";

/** Sizes that are measured, and one for trying the programs out. */
export const CONFIGS: Readonly<Record<"pico" | "desk" | "deep" | "b32", VisionConfig>> = {
  pico: {
    hiddenSize: 8,
    intermediateSize: 16,
    layers: 1,
    heads: 2,
    patchSize: 8,
    imageSize: 16,
    projectionSize: 4,
    activation: "quick_gelu",
    layerNormEpsilon: 1e-5,
  },
  desk: DESK_CONFIG,
  /** The desk model four times as deep. */
  deep: { ...DESK_CONFIG, layers: 4 * DESK_CONFIG.layers },
  b32: {
    hiddenSize: 768,
    intermediateSize: 3072,
    layers: 12,
    heads: 12,
    patchSize: 32,
    imageSize: 224,
    projectionSize: 512,
    activation: "quick_gelu",
    layerNormEpsilon: 1e-5,
  },
};

/** Name of a size. */
export type ModelSize = keyof typeof CONFIGS;

let table: Float32Array | undefined;

/** Normal numbers of standard deviation `scale`; long ones repeat a table, each from a place of its own. */
export function randomValues(length: number, scale: number, place: number): Float32Array {
  table ??= randomStream(0, "bench").normals(1_000_003, 1);
  const values = new Float32Array(length);
  for (let i = 0, j = (place * 7919) % table.length; i < length; i++, j++) {
    if (j === table.length) j = 0;
    values[i] = table[j]! * scale;
  }
  return values;
}

/** θ of a tower that keeps its activations in range. */
export function randomParameters(config: VisionConfig): Map<string, HostTensor> {
  return fill(config, 0, 0.02, true);
}

/** A task vector. */
export function randomTaskVector(config: VisionConfig, task: number): Map<string, HostTensor> {
  const vector = fill(config, 1 + task, 1e-3, false);
  vector.delete("visual_projection.weight");
  return vector;
}

/** A head of ten classes. */
export function randomHead(config: VisionConfig, task: number, classes = 10): ZeroShotHead {
  const values = randomValues(classes * config.projectionSize, 1, 100 + task);
  for (let row = 0; row < classes; row++) {
    const own = values.subarray(row * config.projectionSize, (row + 1) * config.projectionSize);
    const norm = Math.sqrt(own.reduce((sum, value) => sum + value * value, 0));
    own.forEach((value, i) => (own[i] = value / norm));
  }
  return { weight: { shape: [classes, config.projectionSize], values }, logitScale: Math.log(100) };
}

/** Starts the engine that the environment names; its versions, for the report. */
export async function startBenchEngine(): Promise<Record<string, string>> {
  const { name, version } = await startEngine();
  return { [name === "wasm" || name === "cpu" ? "tfjs" : "tensorflow"]: version ?? "unknown" };
}

function fill(config: VisionConfig, place: number, scale: number, norms: boolean): Map<string, HostTensor> {
  return new Map(
    [...visionParameterShapes(config)].map(([name, shape], index) => {
      const count = shape.reduce((product, length) => product * length, 1);
      const ones = norms && name.includes("norm") && name.endsWith("weight");
      return [name, { shape, values: ones ? new Float32Array(count).fill(1) : randomValues(count, scale, 1000 * place + index) }];
    }),
  );
}
