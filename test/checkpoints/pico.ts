/** Checkpoints with a CLIP vision tower's names and tiny shapes. */
import { randomStream } from "../../src/engine/random";
import type { HostTensor, NamedTensors } from "../../src/checkpoints";

export const CONFIG = { model_type: "clip_vision_model", hidden_size: 4, num_hidden_layers: 11 };

/** Parameters in the order in which the room gives them; eleven layers, so that 10 comes after 2. */
export function picoTower(seed: number): Map<string, HostTensor> {
  const names = ["vision_model.embeddings.class_embedding", "vision_model.pre_layrnorm.weight"];
  for (let layer = 0; layer < 11; layer++) names.push(`vision_model.encoder.layers.${layer}.mlp.fc1.weight`);
  names.push("vision_model.post_layernorm.weight", "visual_projection.weight");
  return new Map(names.map((name) => [name, { shape: [2, 3], values: randomStream(seed, name).normals(6, 1) }]));
}

/** The same tensors under other names, in reverse order. */
export function renamed(tensors: NamedTensors, rename: (name: string) => string): NamedTensors {
  return new Map([...tensors].reverse().map(([name, tensor]) => [rename(name), tensor]));
}
