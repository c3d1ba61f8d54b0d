/** A merge so small that a pass takes milliseconds; the same numbers as fixtures/make.py. */
import * as assert from "node:assert/strict";
import * as path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { openSafetensors, type HostTensor, type NamedTensors } from "../../src/checkpoints";
import { randomStream } from "../../src/engine";
import type { AdaptationContext, AdaptationTask, AdaptedMerge } from "../../src/merging/adaptive";
import { visionParameterShapes, type ZeroShotHead } from "../../src/models";
import type { UnlabelledImageSet } from "../../src/tasks";
import { uniform } from "../models/fixtures/generator";
import { PICO_CONFIG } from "../training/pico";

export { PICO_CONFIG as CONFIG };
export const TASKS = 3;
const CLASSES = [3, 4, 5];
const BATCH = 4;
const shapes = visionParameterShapes(PICO_CONFIG);
export const MERGED = [...shapes].filter(([name]) => name.startsWith("vision_model."));

const size = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);

export function sequence(name: string, count: number, scale = 1, centre = 0): Float32Array {
  return uniform(`dam/${name}`, count, scale, centre);
}

/** θ0, as reference.py's build("dam") fills a tower. */
export const PRETRAINED: NamedTensors = new Map(
  [...shapes].map(([name, shape]) => {
    let [scale, centre] = [0.5, 0];
    if (name.endsWith(".bias")) scale = 0.1;
    else if (name.includes("norm")) [scale, centre] = [0.2, 1];
    else if (shape.length > 1 && !name.includes("position")) scale = Math.sqrt(3 / size(shape.slice(1)));
    return [name, { shape, values: sequence(name, size(shape), scale, centre) }];
  }),
);

export const VECTORS: NamedTensors[] = Array.from({ length: TASKS }, (_, task) => {
  const scale = (name: string): number => (name.endsWith("k_proj.bias") ? 0 : 0.2);
  return new Map<string, HostTensor>(
    MERGED.map(([name, shape]) => [name, { shape, values: sequence(`vector${task}/${name}`, size(shape), scale(name)) }]),
  );
});

function head(task: number): ZeroShotHead {
  const values = sequence(`head${task}`, CLASSES[task]! * 4);
  for (let row = 0; row < CLASSES[task]!; row++) {
    const part = values.subarray(4 * row, 4 * row + 4);
    const norm = Math.sqrt(part.reduce((sum, value) => sum + value * value, 0));
    part.forEach((value, index) => (part[index] = value / norm));
  }
  return { weight: { shape: [CLASSES[task]!, 4], values }, logitScale: Math.log(10) };
}

function images(task: number, count = 24): UnlabelledImageSet {
  const random = randomStream(task, "images");
  return { images: Uint8Array.from({ length: count * 192 }, () => random.integer(256)), count, channels: 3, height: 8, width: 8 };
}

export const ADAPTATION_TASKS: AdaptationTask[] = Array.from({ length: TASKS }, (_, task) => ({
  name: `task${task}`,
  head: head(task),
  images: images(task),
}));

/** A merge that draws its own batches of random images. */
export const CONTEXT: AdaptationContext = {
  config: PICO_CONFIG,
  pretrained: PRETRAINED,
  taskVectors: VECTORS,
  tasks: ADAPTATION_TASKS,
  seed: 0,
};

/** The batches of make.py. */
export function fixtureBatches(phase: string, step: number): Float32Array[] {
  return Array.from({ length: TASKS }, (_, task) => sequence(`images/${phase}/${step}/${task}`, BATCH * 192, 2));
}

/** logit(u) of make.py's masks. */
export function fixtureNoise(mask: string, step: number): Float32Array {
  const parts = MERGED.map(([name, shape]) => sequence(`noise/${mask}/${step}/${name}`, size(shape), 0.49, 0.5));
  return Float32Array.from(parts.flatMap((part) => Array.from(part, (u) => Math.log(u / (1 - u)))));
}

/** A sequence for all merged parameters, one after another. */
export function mergedSequence(name: string): Float32Array {
  return Float32Array.from(MERGED.flatMap(([parameter, shape]) => [...sequence(`${name}/${parameter}`, size(shape))]));
}

/** The classes that make.py's cross-entropy goes to. */
export const FIXTURE_LABELS = Array.from({ length: TASKS }, (_, task) =>
  Int32Array.from({ length: BATCH }, (_, i) => (i + task) % CLASSES[task]!),
);

export async function readFixture(name: string): Promise<Map<string, Float32Array>> {
  const file = await openSafetensors(path.join(__dirname, "fixtures", `${name}.safetensors`));
  try {
    const found = new Map<string, Float32Array>();
    for (const tensor of file.tensors.keys()) found.set(tensor, (await file.readFloat32(tensor)).values);
    return found;
  } finally {
    await file.close();
  }
}

/** ‖a − b‖ / ‖b‖ */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let [difference, norm] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    difference += (a[i]! - b[i]!) ** 2;
    norm += b[i]! ** 2;
  }
  return Math.sqrt(difference / norm);
}

/** All values of a model, one after another. */
export function bytesOf(parameters: NamedTensors): string {
  return [...parameters]
    .map(([name, { values }]) => `${name} ${Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("hex")}`)
    .join();
}

/** A method gives the same bytes for the same seed, others for another, and leaves no tensors. Returns the merge of the first run. */
export async function checkSeeds<Merge extends AdaptedMerge>(run: (changes: Partial<AdaptationContext>) => Promise<Merge>): Promise<Merge> {
  const before = tf.memory().numTensors;
  const [first, again, other] = [await run({}), await run({}), await run({ seed: 1 })];
  assert.equal(tf.memory().numTensors, before);
  assert.equal(bytesOf(first.parameters), bytesOf(again.parameters));
  assert.notEqual(bytesOf(first.parameters), bytesOf(other.parameters));
  assert.ok(first.completed);
  return first;
}
