import type { VisionConfig } from "../models/config";

/** The desk tower: 475,000 parameters. */
export const DESK_CONFIG: VisionConfig = {
  hiddenSize: 96,
  intermediateSize: 384,
  layers: 4,
  heads: 4,
  patchSize: 8,
  imageSize: 32,
  projectionSize: 64,
  activation: "quick_gelu",
  layerNormEpsilon: 1e-5,
};
