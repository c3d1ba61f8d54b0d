import * as assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { randomStream, startEngine, valueAndGradients } from "../../src/engine";
import { formatVisionConfig, parseVisionConfig, tokenCount, type VisionConfig } from "../../src/models/config";
import { embedImages, visionParameterShapes } from "../../src/models/vision";
import { generateParameters, generatePixels } from "./fixtures/generator";

const TINY: VisionConfig = {
  hiddenSize: 8,
  intermediateSize: 12,
  layers: 1,
  heads: 2,
  patchSize: 2,
  imageSize: 5,
  projectionSize: 3,
  activation: "quick_gelu",
  layerNormEpsilon: 1e-5,
};

describe("visionParameterShapes", () => {
  it("visionParameterShapes() counts the 87,849,216 parameters of CLIP-ViT-B/32's vision tower", () => {
    const config = parseVisionConfig({ model_type: "clip_vision_model" });
    const counts = [...visionParameterShapes(config).values()].map((shape) => shape.reduce((product, length) => product * length, 1));
    // 87,456,000 of the tower without, 512 x 768 of the projection
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      87_456_000 + 512 * 768,
    );
    assert.equal(counts.length, 5 + 12 * 16 + 2 + 1);
    assert.equal(tokenCount(config), 50);
  });
});

describe("embedImages", () => {
  let parameters: Map<string, tf.Tensor>;
  let pixels: tf.Tensor4D;
  before(async () => {
    await startEngine();
    parameters = generateParameters("tiny", TINY);
    pixels = generatePixels("tiny", 3, TINY.imageSize);
  });
  after(() => tf.dispose([pixels, ...parameters.values()]));

  const embed = (input: tf.Tensor4D, config = TINY) => tf.tidy(() => embedImages(parameters, config, input).arraySync());

  it("embedImages() treats each image of a batch alone", () => {
    const whole = embed(pixels);
    const single = tf.tidy(() => embed(tf.slice(pixels, [1, 0, 0, 0], [1, -1, -1, -1])));
    single[0]!.forEach((value, i) => assert.ok(Math.abs(value - whole[1]![i]!) < 1e-6));
  });

  it("embedImages() does not see the pixels that no whole patch covers", () => {
    // patches of 2 cover rows and columns 0..3 of 5
    const [moved, changed] = tf.tidy(() => {
      const edge = tf.pad(
        tf.zeros([3, 3, 4, 4]),
        [
          [0, 0],
          [0, 0],
          [0, 1],
          [0, 1],
        ],
        7,
      );
      const corner = tf.pad(tf.ones([3, 3, 1, 1]), [
        [0, 0],
        [0, 0],
        [3, 1],
        [3, 1],
      ]);
      return [embed(tf.add(pixels, edge)), embed(tf.add(pixels, corner))];
    });
    assert.deepEqual(moved, embed(pixels));
    assert.notDeepEqual(changed, moved);
  });

  it("embedImages() reads nothing beyond its own parameters", () => {
    const extra = new Map([...parameters, ["text_model.embeddings.token_embedding.weight", tf.scalar(0)]]);
    assert.deepEqual(
      tf.tidy(() => embedImages(extra, TINY, pixels).arraySync()),
      embed(pixels),
    );
    extra.get("text_model.embeddings.token_embedding.weight")!.dispose();
  });

  it("embedImages() leaves one tensor, its result, and none of it in a backward pass", () => {
    const before = tf.memory().numTensors;
    const embeddings = embedImages(parameters, TINY, pixels);
    assert.equal(tf.memory().numTensors, before + 1);
    embeddings.dispose();
    const loss = () => tf.sum(embedImages(parameters, TINY, pixels)) as tf.Scalar;
    const { value, gradients } = valueAndGradients(loss, parameters);
    assert.equal(tf.memory().numTensors, before + 1 + parameters.size);
    tf.dispose([value, ...gradients.values()]);
    assert.equal(tf.memory().numTensors, before);
  });

  it("embedImages() has the gradient that finite differences show, along random directions of parameters and pixels", () => {
    for (const activation of ["quick_gelu", "gelu"] as const) {
      const config = { ...TINY, activation };
      const inputs = new Map<string, tf.Tensor>([...parameters, ["pixels", pixels]]);
      const squares = (at: ReadonlyMap<string, tf.Tensor>) =>
        tf.tidy(() => tf.mean(tf.square(embedImages(at, config, at.get("pixels") as tf.Tensor4D))) as tf.Scalar);
      const { value, gradients } = valueAndGradients(() => squares(inputs), inputs);
      for (const [name, tensor] of inputs) {
        const step = 2 ** -6;
        const [slope, difference] = tf.tidy(() => {
          const direction = tf.tensor(randomStream(0, name).normals(tensor.size), tensor.shape);
          const at = (by: number) => squares(new Map([...inputs, [name, tf.add(tensor, tf.mul(direction, by))]])).dataSync()[0]!;
          // fourth order: error of order step⁴, and float32 rounding of about 1e-6 / step
          const central = (h: number) => (at(h) - at(-h)) / (2 * h);
          return [tf.sum(tf.mul(direction, gradients.get(name)!)).dataSync()[0]!, (4 * central(step) - central(2 * step)) / 3];
        });
        assert.ok(Math.abs(slope - difference) < 2e-3 + 0.02 * Math.abs(slope), `${name}: ${slope} but differences say ${difference}`);
      }
      tf.dispose([value, ...gradients.values()]);
    }
  });

  it("embedImages() gives the pixels' gradient alone as together with the parameters'", () => {
    const loss = () => tf.sum(embedImages(parameters, TINY, pixels)) as tf.Scalar;
    const alone = valueAndGradients(loss, new Map([["pixels", pixels]]));
    const together = valueAndGradients(loss, new Map<string, tf.Tensor>([...parameters, ["pixels", pixels]]));
    assert.deepEqual(alone.gradients.get("pixels")!.dataSync(), together.gradients.get("pixels")!.dataSync());
    tf.dispose([alone.value, together.value, ...alone.gradients.values(), ...together.gradients.values()]);
  });

  it("embedImages() names a parameter that is missing or has another shape", () => {
    const before = tf.memory().numTensors;
    const name = "vision_model.encoder.layers.0.mlp.fc1.weight";
    const without = new Map(parameters);
    without.delete(name);
    assert.throws(
      () => embedImages(without, TINY, pixels),
      (error: Error) => error.name === "TypeError" && error.message.includes(`"${name}"`),
    );
    const wrong = new Map([...parameters, [name, tf.zeros([8, 12])]]);
    assert.throws(
      () => embedImages(wrong, TINY, pixels),
      (error: Error) => /\[12, ?8\]/.test(error.message) && /\[8, ?12\]/.test(error.message),
    );
    wrong.get(name)!.dispose();
    assert.equal(tf.memory().numTensors, before);
  });

  it("embedImages() rejects pixels of another size", () => {
    const small = tf.zeros([1, 3, 4, 4]) as tf.Tensor4D;
    assert.throws(
      () => embedImages(parameters, TINY, small),
      /^TypeError: Cannot embed images: expected pixels \[batch, 3, 5, 5\], got \[1,3,4,4\]$/,
    );
    small.dispose();
  });
});

describe("parseVisionConfig", () => {
  it("parseVisionConfig() reads back what formatVisionConfig() writes", () => {
    assert.deepEqual(parseVisionConfig(formatVisionConfig(TINY)), TINY);
  });

  it("parseVisionConfig() takes the projection of a whole CLIP from its top level", () => {
    const config = parseVisionConfig({ model_type: "clip", projection_dim: 24, vision_config: { hidden_size: 60, projection_dim: 99 } });
    assert.equal(config.projectionSize, 24);
    assert.equal(config.hiddenSize, 60);
  });

  it("parseVisionConfig() names the file and the value that it can't follow", () => {
    const parse = (entries: object) => () => parseVisionConfig({ model_type: "clip_vision_model", ...entries }, "a/config.json");
    assert.throws(parse({ model_type: "siglip" }), /^TypeError: .*"a\/config.json".*got "siglip"$/);
    assert.throws(parse({ hidden_size: 7.5 }), /^TypeError: .*hidden_size.*got 7.5$/);
    assert.throws(parse({ hidden_act: "relu" }), /^TypeError: .*hidden_act.*got "relu"$/);
    assert.throws(parse({ layer_norm_eps: 0 }), /^TypeError: .*layer_norm_eps.*got 0$/);
    assert.throws(parse({ num_attention_heads: 7 }), /^RangeError: .*768 is not a multiple of num_attention_heads 7$/);
    assert.throws(parse({ patch_size: 500 }), /^RangeError: .*patch_size 500 exceeds image_size 224$/);
    assert.throws(parse({ num_channels: 1 }), /^RangeError: .*num_channels 3, got 1$/);
    assert.throws(() => parseVisionConfig(null, "a/config.json"), /^TypeError: .*expected an object, got null$/);
  });
});
