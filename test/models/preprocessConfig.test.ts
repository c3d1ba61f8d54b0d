import * as assert from "node:assert/strict";
import { CLIP_PREPROCESSING, parsePreprocessorConfig } from "../../src/models/preprocessConfig";

const parse = (entries: object) => parsePreprocessorConfig(JSON.stringify(entries));

describe("parsePreprocessorConfig", () => {
  it("parsePreprocessorConfig() reads openai/clip-vit-base-patch32's first form, with plain numbers", () => {
    const config = parse({
      crop_size: 224,
      do_center_crop: true,
      do_normalize: true,
      do_resize: true,
      feature_extractor_type: "CLIPFeatureExtractor",
      image_mean: [0.48145466, 0.4578275, 0.40821073],
      image_std: [0.26862954, 0.26130258, 0.27577711],
      resample: 3,
      size: 224,
    });
    assert.deepEqual(config, CLIP_PREPROCESSING);
  });

  it("parsePreprocessorConfig() reads today's form, also inside a processor_config.json", () => {
    const entries = {
      do_convert_rgb: true,
      size: { shortest_edge: 32 },
      crop_size: { height: 32, width: 30 },
      image_mean: 0.5,
      image_std: [0.25, 0.25, 0.25],
      rescale_factor: 0.00392156862745098,
    };
    const expected = {
      ...CLIP_PREPROCESSING,
      size: { shortestEdge: 32 },
      cropSize: { height: 32, width: 30 },
      mean: [0.5, 0.5, 0.5],
      std: [0.25, 0.25, 0.25],
    };
    assert.deepEqual(parse(entries), expected);
    assert.deepEqual(parse({ processor_class: "CLIPProcessor", image_processor: entries }), expected);
  });

  it("parsePreprocessorConfig() switches steps off", () => {
    const off = { do_resize: false, do_center_crop: false, do_rescale: false, do_normalize: false };
    const expected = { size: null, cropSize: null, rescaleFactor: 1, mean: [0, 0, 0], std: [1, 1, 1], alpha: "drop" };
    assert.deepEqual(parse(off), expected);
  });

  it("parsePreprocessorConfig() names the file and the entry that it can't follow", () => {
    const cases: [object, RegExp][] = [
      [{ size: 0 }, /^TypeError: Cannot read preprocessing from "preprocessor_config.json": entry "size": expected .*got 0$/],
      [{ size: { longest_edge: 50 } }, /entry "size": expected .*, got \{"longest_edge":50\}$/],
      [{ resample: 2 }, /entry "resample": expected 3 \(bicubic\), got 2$/],
      [{ crop_size: { height: 32 } }, /entry "crop_size": expected .*, got \{"height":32\}$/],
      [{ image_mean: [0.5, 0.5] }, /entry "image_mean": expected a number or three, got \[0.5,0.5\]$/],
      [{ image_std: [0.5, 0, 0.5] }, /entry "image_std": expected a positive number or three, got \[0.5,0,0.5\]$/],
      [{ do_resize: "yes" }, /entry "do_resize": expected true or false, got "yes"$/],
    ];
    for (const [entries, message] of cases) assert.throws(() => parse(entries), message);
    assert.throws(
      () => parsePreprocessorConfig("{", "clip.json"),
      /^SyntaxError: Cannot read preprocessing from "clip.json": expected JSON, got /,
    );
    assert.throws(
      () => parsePreprocessorConfig("[]"),
      /^TypeError: Cannot read preprocessing from "preprocessor_config.json": expected an object, got \[\]$/,
    );
  });
});
