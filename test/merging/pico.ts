/** Pico models for the merging tests: names of a CLIP vision tower, a few numbers a tensor. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { loadNamedTensors, openTensors, writeCheckpoint, type HostTensor, type NamedTensors } from "../../src/checkpoints";
import { randomStream } from "../../src/engine";

export const FIXTURES = path.join(__dirname, "fixtures");

export const picoShapes: Readonly<Record<string, readonly number[]>> = {
  "vision_model.embeddings.class_embedding": [7],
  "vision_model.embeddings.patch_embedding.weight": [3, 2, 2, 5],
  "vision_model.post_layernorm.bias": [1],
  "visual_projection.weight": [4, 7],
};

/** A model of random normal numbers, or one that lies `distance` away from another. */
export function picoModel(seed: number, from?: NamedTensors, distance = 0.01): Map<string, HostTensor> {
  const model = new Map<string, HostTensor>();
  for (const [name, shape] of Object.entries(picoShapes)) {
    const values = randomStream(seed, "pico", name).normals(shape.reduce((a, b) => a * b, 1));
    const start = from?.get(name)?.values;
    if (start !== undefined) for (let i = 0; i < values.length; i++) values[i] = start[i]! + distance * values[i]!;
    model.set(name, { shape, values });
  }
  return model;
}

/** τ = θ_t − θ₀ in float32. */
export function subtract(model: NamedTensors, from: NamedTensors): Map<string, HostTensor> {
  return new Map(
    [...model].map(([name, { shape, values }]) => [name, { shape, values: values.map((value, i) => value - from.get(name)!.values[i]!) }]),
  );
}

/** Every tensor of a file or folder as float32. */
export async function readAll(place: string): Promise<NamedTensors> {
  const source = await openTensors(place);
  try {
    return await loadNamedTensors(source);
  } finally {
    await source.close();
  }
}

/** The numbers of all tensors by name, for comparisons. */
export function numbers(tensors: NamedTensors): Record<string, number[]> {
  return Object.fromEntries([...tensors].map(([name, { values }]) => [name, [...values]]));
}

/** Writes a pico model in the Hugging Face layout, with an integer buffer as old versions of the library did. */
export async function writePico(folder: string, model: NamedTensors, extraFiles: Record<string, string> = {}): Promise<void> {
  const config = { model_type: "clip_vision_model", hidden_size: 7, torch_dtype: "float32" };
  const positions = {
    name: "vision_model.embeddings.position_ids",
    shape: [1, 3],
    dtype: "I64" as const,
    values: BigInt64Array.of(0n, 1n, 2n),
  };
  const tensors = [positions, ...[...model].map(([name, { shape, values }]) => ({ name, shape, values }))];
  await writeCheckpoint(folder, { config, tensors, extraFiles });
}

/** Calls with a temporary folder that is removed afterwards. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), "damlab-merging-"));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
