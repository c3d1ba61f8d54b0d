/**
 * The CLIP vision tower as a pure function of (parameters, pixels): Radford et al. 2021, arXiv:2103.00020, with the parameter names of
 * Hugging Face's `CLIPVisionModelWithProjection`.
 */
import * as tf from "@tensorflow/tfjs-core";
import { attention, cutPatches, gelu, layerNorm, linear, quickGelu } from "../engine";
import { tokenCount, type VisionConfig } from "./config";

/** Named tensors of one model, in the checkpoint's order. */
export type Parameters = ReadonlyMap<string, tf.Tensor>;

/**
 * Names and shapes of a tower's parameters, in the order of the network.
 * @returns Shapes as in Hugging Face checkpoints; linear weights are [out, in], the patch embedding is [hidden, 3, patch, patch].
 */
export function visionParameterShapes(config: VisionConfig): Map<string, number[]> {
  const { hiddenSize: d, intermediateSize: h, patchSize, projectionSize } = config;
  const shapes = new Map<string, number[]>();
  const addNorm = (name: string): void => void shapes.set(`${name}.weight`, [d]).set(`${name}.bias`, [d]);
  const addLinear = (name: string, outputs: number, inputs: number): void =>
    void shapes.set(`${name}.weight`, [outputs, inputs]).set(`${name}.bias`, [outputs]);
  shapes.set("vision_model.embeddings.class_embedding", [d]);
  shapes.set("vision_model.embeddings.patch_embedding.weight", [d, 3, patchSize, patchSize]);
  shapes.set("vision_model.embeddings.position_embedding.weight", [tokenCount(config), d]);
  addNorm("vision_model.pre_layrnorm");
  for (let layer = 0; layer < config.layers; layer++) {
    const block = blockName(layer);
    addNorm(`${block}.layer_norm1`);
    for (const projection of ["q_proj", "k_proj", "v_proj", "out_proj"]) addLinear(`${block}.self_attn.${projection}`, d, d);
    addNorm(`${block}.layer_norm2`);
    addLinear(`${block}.mlp.fc1`, h, d);
    addLinear(`${block}.mlp.fc2`, d, h);
  }
  addNorm("vision_model.post_layernorm");
  shapes.set("visual_projection.weight", [projectionSize, d]);
  return shapes;
}

/**
 * Image embeddings, not normalised.
 * @param parameters As `visionParameterShapes` lists them; further names are not read.
 * @param pixels [batch, 3, imageSize, imageSize], normalised as the model expects.
 * @returns [batch, projectionSize]; owned by the caller.
 * @throws {TypeError} if a parameter is missing or a shape differs; names the tensor and both shapes.
 */
export function embedImages(parameters: Parameters, config: VisionConfig, pixels: tf.Tensor4D): tf.Tensor2D {
  const read = parameterReader(parameters, config);
  const [, channels, height, width] = pixels.shape;
  if (channels !== 3 || height !== config.imageSize || width !== config.imageSize) {
    throw new TypeError(`Cannot embed images: expected pixels [batch, 3, ${config.imageSize}, ${config.imageSize}], got [${pixels.shape}]`);
  }
  return tf.tidy(() => {
    const tokens = tokenCount(config);
    let stream = normalise(read, "vision_model.pre_layrnorm", embedTokens(read, config, pixels), config);
    // What a block leaves behind goes at its end, so that memory does not grow with the depth; gradients keep what they need.
    for (let layer = 0; layer < config.layers; layer++) {
      stream = applyBlock(read, blockName(layer), stream, { config, tokens, classTokensOnly: layer === config.layers - 1 });
    }
    const summary = normalise(read, "vision_model.post_layernorm", stream, config);
    return linear(summary, read("visual_projection.weight"));
  });
}

type Reader = <T extends tf.Tensor>(name: string) => T;

function embedTokens(read: Reader, config: VisionConfig, pixels: tf.Tensor4D): tf.Tensor2D {
  const { hiddenSize, patchSize } = config;
  const covered = Math.floor(config.imageSize / patchSize) * patchSize;
  const whole = covered === config.imageSize ? pixels : tf.slice(pixels, [0, 0, 0, 0], [-1, -1, covered, covered]);
  const kernel = tf.reshape(read("vision_model.embeddings.patch_embedding.weight"), [hiddenSize, 3 * patchSize ** 2]) as tf.Tensor2D;
  const patches = tf.reshape(linear(cutPatches(whole, patchSize), kernel), [pixels.shape[0], -1, hiddenSize]);
  const classToken = tf.tile(tf.reshape(read("vision_model.embeddings.class_embedding"), [1, 1, hiddenSize]), [pixels.shape[0], 1, 1]);
  const sequence = tf.concat([classToken, patches], 1);
  return tf.reshape(tf.add(sequence, read("vision_model.embeddings.position_embedding.weight")), [-1, hiddenSize]);
}

interface BlockShape {
  readonly config: VisionConfig;
  readonly tokens: number;
  /** Of the last block nothing but the class tokens is read: behind its attention only they go on. */
  readonly classTokensOnly: boolean;
}

function applyBlock(read: Reader, block: string, stream: tf.Tensor2D, { config, tokens, classTokensOnly }: BlockShape): tf.Tensor2D {
  const goOn = (x: tf.Tensor2D): tf.Tensor2D => (classTokensOnly ? classTokens(x, tokens) : x);
  return tf.tidy(() => {
    const project = (name: string, x: tf.Tensor2D): tf.Tensor2D =>
      linear(x, read<tf.Tensor2D>(`${block}.${name}.weight`), read<tf.Tensor1D>(`${block}.${name}.bias`));
    const attended = normalise(read, `${block}.layer_norm1`, stream, config);
    const [queries, keys, values] = ["q_proj", "k_proj", "v_proj"].map((name) => project(`self_attn.${name}`, attended)) as [
      tf.Tensor2D,
      tf.Tensor2D,
      tf.Tensor2D,
    ];
    const context = goOn(attention(queries, keys, values, { tokens, heads: config.heads }));
    const middle = tf.add(goOn(stream), project("self_attn.out_proj", context)) as tf.Tensor2D;
    const activate = config.activation === "gelu" ? gelu : quickGelu;
    const hidden = activate(project("mlp.fc1", normalise(read, `${block}.layer_norm2`, middle, config)));
    return tf.add(middle, project("mlp.fc2", hidden));
  });
}

/** The first row of each image: [batch · tokens, d] -> [batch, d]. */
function classTokens(rows: tf.Tensor2D, tokens: number): tf.Tensor2D {
  const [count, size] = rows.shape;
  return tf.reshape(tf.slice(tf.reshape(rows, [count / tokens, tokens, size]), [0, 0, 0], [-1, 1, -1]), [-1, size]);
}

function normalise(read: Reader, name: string, x: tf.Tensor2D, config: VisionConfig): tf.Tensor2D {
  return layerNorm(x, read(`${name}.weight`), read(`${name}.bias`), config.layerNormEpsilon);
}

function blockName(layer: number): string {
  return `vision_model.encoder.layers.${layer}`;
}

function parameterReader(parameters: Parameters, config: VisionConfig): Reader {
  const shapes = visionParameterShapes(config);
  return <T extends tf.Tensor>(name: string): T => {
    const tensor = parameters.get(name);
    const expected = shapes.get(name)!;
    if (!tensor) throw new TypeError(`Cannot embed images: parameter "${name}" of shape [${expected}] is missing`);
    if (tensor.shape.length !== expected.length || tensor.shape.some((size, axis) => size !== expected[axis])) {
      throw new TypeError(`Cannot embed images: expected parameter "${name}" to have shape [${expected}], got [${tensor.shape}]`);
    }
    return tensor as T;
  };
}
