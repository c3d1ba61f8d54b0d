import { openCheckpoint, type HostTensor, type NamedTensors, type OpenCheckpointOptions } from "../checkpoints";
import { parseVisionConfig, type VisionConfig } from "./config";
import { visionParameterShapes } from "./vision";

/** A CLIP vision tower in plain memory. */
export interface VisionModel {
  readonly config: VisionConfig;
  /** Every parameter that `visionParameterShapes(config)` lists, in that order, as float32. */
  readonly parameters: NamedTensors;
}

/**
 * Loads a vision tower from a folder in the Hugging Face layout, of a CLIPVisionModelWithProjection or of a whole CLIPModel, whose text tower is
 * not read.
 * @param options.base Checkpoint from which the projection is taken where this one lacks it.
 * @throws {TypeError} if there is no configuration of a CLIP model, or a parameter is missing or has another shape than the configuration
 *   says; names the parameter and both shapes.
 * @throws {SafetensorsError} if a file is malformed.
 */
export async function loadVisionModel(place: string, options: OpenCheckpointOptions = {}): Promise<VisionModel> {
  const checkpoint = await openCheckpoint(place, options);
  try {
    if (checkpoint.config === undefined)
      throw new TypeError(`Cannot load model "${place}": expected a folder with config.json, got a file`);
    const config = parseVisionConfig(checkpoint.config, `${place}/config.json`);
    const shapes = visionParameterShapes(config);
    for (const [name, shape] of shapes) {
      const found = checkpoint.tensors.get(name)?.shape;
      if (found === undefined)
        throw new TypeError(`Cannot load model "${place}": expected parameter "${name}" of shape [${shape}], got none`);
      if (found.length !== shape.length || found.some((length, axis) => length !== shape[axis])) {
        throw new TypeError(`Cannot load model "${place}": expected parameter "${name}" of shape [${shape}], got [${found}]`);
      }
    }
    const parameters = new Map<string, HostTensor>();
    for (const name of shapes.keys()) parameters.set(name, await checkpoint.readFloat32(name));
    return { config, parameters };
  } finally {
    await checkpoint.close();
  }
}
