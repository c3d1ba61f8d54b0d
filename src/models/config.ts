import { ACTIVATIONS, type Activation } from "../engine/activations";

/** Shape of a CLIP vision tower; all sizes are positive integers. */
export interface VisionConfig {
  /** Width of the residual stream. */
  readonly hiddenSize: number;
  /** Width of the MLP's hidden layer. */
  readonly intermediateSize: number;
  /** Transformer blocks. */
  readonly layers: number;
  /** Attention heads; divides `hiddenSize`. */
  readonly heads: number;
  /** Pixels a side of a patch. */
  readonly patchSize: number;
  /** Pixels a side of an image; what is left over a whole number of patches at the right and bottom edge is not seen. */
  readonly imageSize: number;
  /** Size of the embedding, which image and text share. */
  readonly projectionSize: number;
  readonly activation: Activation;
  /** ε of every layer norm. */
  readonly layerNormEpsilon: number;
}

/** Defaults of `transformers`' CLIPVisionConfig, for keys that a configuration leaves out. */
const DEFAULTS = {
  hidden_size: 768,
  intermediate_size: 3072,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  patch_size: 32,
  image_size: 224,
  projection_dim: 512,
  hidden_act: "quick_gelu",
  layer_norm_eps: 1e-5,
  num_channels: 3,
} as const;

/**
 * Reads the vision tower's shape from a Hugging Face `config.json` of `model_type` `clip_vision_model` or `clip`.
 * @param json The parsed file.
 * @param source What to call it in errors, usually its path.
 * @throws {TypeError} if it is no CLIP configuration or a value has the wrong type.
 * @throws {RangeError} if sizes do not fit each other.
 */
export function parseVisionConfig(json: unknown, source = "config.json"): VisionConfig {
  const root = asRecord(json, source);
  const modelType = root["model_type"];
  if (modelType !== "clip_vision_model" && modelType !== "clip") {
    throw new TypeError(`Cannot read "${source}": expected model_type "clip_vision_model" or "clip", got ${JSON.stringify(modelType)}`);
  }
  const nested = modelType === "clip" ? root["vision_config"] : root;
  const section = nested === undefined || nested === null ? {} : asRecord(nested, `${source}: vision_config`);
  const size = (key: keyof typeof DEFAULTS): number => positiveInteger(section[key] ?? DEFAULTS[key], key, source);
  const projection = modelType === "clip" ? (root["projection_dim"] ?? section["projection_dim"]) : section["projection_dim"];
  const config: VisionConfig = {
    hiddenSize: size("hidden_size"),
    intermediateSize: size("intermediate_size"),
    layers: size("num_hidden_layers"),
    heads: size("num_attention_heads"),
    patchSize: size("patch_size"),
    imageSize: size("image_size"),
    projectionSize: positiveInteger(projection ?? DEFAULTS.projection_dim, "projection_dim", source),
    activation: parseActivation(section["hidden_act"] ?? DEFAULTS.hidden_act, source),
    layerNormEpsilon: parseEpsilon(section["layer_norm_eps"] ?? DEFAULTS.layer_norm_eps, source),
  };
  const channels = size("num_channels");
  if (channels !== 3) throw new RangeError(`Cannot read "${source}": expected num_channels 3, got ${channels}`);
  if (config.hiddenSize % config.heads !== 0) {
    throw new RangeError(
      `Cannot read "${source}": hidden_size ${config.hiddenSize} is not a multiple of num_attention_heads ${config.heads}`,
    );
  }
  if (config.patchSize > config.imageSize) {
    throw new RangeError(`Cannot read "${source}": patch_size ${config.patchSize} exceeds image_size ${config.imageSize}`);
  }
  return config;
}

/** The `config.json` that `transformers` opens as CLIPVisionModelWithProjection. */
export function formatVisionConfig(config: VisionConfig): Record<string, unknown> {
  return {
    architectures: ["CLIPVisionModelWithProjection"],
    model_type: "clip_vision_model",
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    patch_size: config.patchSize,
    image_size: config.imageSize,
    num_channels: 3,
    projection_dim: config.projectionSize,
    hidden_act: config.activation,
    layer_norm_eps: config.layerNormEpsilon,
    attention_dropout: 0,
    torch_dtype: "float32",
  };
}

/** Tokens of one image: the class token and one a patch. */
export function tokenCount(config: VisionConfig): number {
  return 1 + Math.floor(config.imageSize / config.patchSize) ** 2;
}

function asRecord(value: unknown, source: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new TypeError(`Cannot read "${source}": expected an object, got ${Array.isArray(value) ? "an array" : String(value)}`);
}

function positiveInteger(value: unknown, key: string, source: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value;
  throw new TypeError(`Cannot read "${source}": expected ${key} to be a positive integer, got ${JSON.stringify(value)}`);
}

function parseEpsilon(value: unknown, source: string): number {
  if (typeof value === "number" && Number.isFinite(value) && value > 0) return value;
  throw new TypeError(`Cannot read "${source}": expected layer_norm_eps to be a positive number, got ${JSON.stringify(value)}`);
}

function parseActivation(value: unknown, source: string): Activation {
  if ((ACTIVATIONS as readonly unknown[]).includes(value)) return value as Activation;
  throw new TypeError(`Cannot read "${source}": expected hidden_act to be one of ${ACTIVATIONS.join(", ")}, got ${JSON.stringify(value)}`);
}
