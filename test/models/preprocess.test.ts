import * as assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import sharp from "sharp";
import { preprocessImage, preprocessImages } from "../../src/models/preprocess";
import { CLIP_PREPROCESSING, type PreprocessConfig } from "../../src/models/preprocessConfig";

const images = path.join(__dirname, "fixtures", "images");

/** What images.json says of a photograph; `white` where laying it over white differs from dropping its alpha. */
interface Photograph {
  readonly file: string;
  readonly size: number;
  readonly crop: readonly [number, number];
  readonly white?: boolean;
}

const photographs = JSON.parse(readFileSync(path.join(images, "images.json"), "utf8")) as Photograph[];

/** Size and crop of a photograph; values stay in [0, 1]. */
function plainConfig({ size, crop }: Photograph): PreprocessConfig {
  const cropSize = { height: crop[0], width: crop[1] };
  return { ...CLIP_PREPROCESSING, size: { shortestEdge: size }, cropSize, mean: [0, 0, 0], std: [1, 1, 1] };
}

/** Largest difference in [0, 1] units from the committed output of transformers. */
async function largestDifference(photograph: Photograph, config: PreprocessConfig, expectedFile: string): Promise<number> {
  const { shape, values } = await preprocessImage(path.join(images, photograph.file), config);
  const expected = await sharp(path.join(images, "expected", expectedFile))
    .removeAlpha()
    .toColourspace("srgb")
    .raw()
    .toBuffer();
  assert.deepEqual(shape, [3, ...photograph.crop]);
  assert.equal(values.length, expected.length);
  const pixels = values.length / 3;
  return values.reduce(
    (worst, value, i) => Math.max(worst, Math.abs(value - expected[(i % pixels) * 3 + Math.floor(i / pixels)]! / 255)),
    0,
  );
}

describe("preprocessImage", () => {
  for (const photograph of photographs) {
    it(`preprocessImage() makes of ${photograph.file} what transformers does`, async () => {
      // float32 of byte/255 is within 2^-25 of it; a difference of one grey level would be 1/255 = 0.0039
      assert.ok((await largestDifference(photograph, plainConfig(photograph), `${photograph.file}.png`)) < 1e-7);
    });
    if (photograph.white !== true) continue;
    it(`preprocessImage() lays ${photograph.file} over white when asked to`, async () => {
      const config: PreprocessConfig = { ...plainConfig(photograph), alpha: "white" };
      assert.ok((await largestDifference(photograph, config, `${photograph.file}.white.png`)) < 1e-7);
    });
  }

  it("preprocessImage() normalises to the same float32 numbers as transformers", async () => {
    const photograph = photographs.find(({ file }) => file === "padded-odd-31x80.png")!;
    const bytes = readFileSync(path.join(images, "expected", "normalised.f32"));
    const expected = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
    const config = { ...plainConfig(photograph), mean: CLIP_PREPROCESSING.mean, std: CLIP_PREPROCESSING.std };
    assert.deepEqual((await preprocessImage(path.join(images, photograph.file), config)).values, expected);
  });

  it("preprocessImage() takes bytes as well as a path", async () => {
    const file = path.join(images, "turned-6-61x43.jpg");
    assert.deepEqual(await preprocessImage(readFileSync(file)), await preprocessImage(file));
  });

  it("preprocessImage() keeps the image's size without resize and crop", async () => {
    const config: PreprocessConfig = { ...CLIP_PREPROCESSING, size: null, cropSize: null };
    assert.deepEqual((await preprocessImage(path.join(images, "odd-257x143.jpg"), config)).shape, [3, 143, 257]);
  });

  it("preprocessImage() names a file that is no image", async () => {
    const file = path.join(images, "images.json");
    await assert.rejects(preprocessImage(file), (error: Error) => error.name === "SyntaxError" && error.message.includes(`"${file}"`));
    await assert.rejects(
      preprocessImage(Buffer.from("no image")),
      /^SyntaxError: Cannot decode image of 8 bytes: expected a readable image file, got /,
    );
  });

  it("preprocessImage() rejects a photograph that was cut short", async () => {
    const bytes = readFileSync(path.join(images, "odd-257x143.jpg"));
    await assert.rejects(preprocessImage(bytes.subarray(0, bytes.length / 2)), SyntaxError);
  });
});

describe("preprocessImages", () => {
  it("preprocessImages() stacks images in order", async () => {
    const files = ["alpha-119x85.png", "grey-121x89.jpg"].map((file) => path.join(images, file));
    const batch = await preprocessImages(files);
    assert.deepEqual(batch.shape, [2, 3, 224, 224]);
    assert.deepEqual(batch.values.subarray(3 * 224 * 224), (await preprocessImage(files[1]!)).values);
  });

  it("preprocessImages() says which image has another size", async () => {
    const files = ["turned-1-61x43.jpg", "turned-6-61x43.jpg"].map((file) => path.join(images, file));
    await assert.rejects(preprocessImages(files, { ...CLIP_PREPROCESSING, size: null, cropSize: null }), {
      name: "TypeError",
      message: "Cannot batch image 1: expected shape [3, 43, 61] as of the first, got [3, 61, 43]",
    });
    await assert.rejects(preprocessImages([]), RangeError);
  });
});
