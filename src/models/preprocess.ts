import type { HostTensor } from "../checkpoints/tensors";
import { decodeImage } from "./decodeImage";
import { CLIP_PREPROCESSING, type PreprocessConfig } from "./preprocessConfig";
import { resizeBicubic, type RgbImage } from "./resample";

/**
 * Turns an image file into what CLIP's vision tower takes: decode, resize the shorter edge (bicubic), crop the centre, scale to [0, 1], normalise
 * by channel. Equal to the last bit to CLIPImageProcessor (its Pillow form) of Hugging Face transformers after its `load_image`.
 * @param source A file's path, or its bytes.
 * @param config By default OpenAI's CLIP at 224 pixels.
 * @returns float32 [3, height, width], red, green, blue.
 * @throws {SyntaxError} if the file can't be decoded.
 */
export async function preprocessImage(source: string | Uint8Array, config: PreprocessConfig = CLIP_PREPROCESSING): Promise<HostTensor> {
  const decoded = await decodeImage(source, config.alpha);
  const resized = config.size === null ? decoded : resizeBicubic(decoded, sizeAfterResize(decoded, config.size));
  const cropped = config.cropSize === null ? resized : cropCentre(resized, config.cropSize);
  return { shape: [3, cropped.height, cropped.width], values: normalise(cropped, config) };
}

/**
 * Preprocesses several images, one after the other.
 * @param sources At least one path or file's bytes.
 * @returns float32 [images, 3, height, width], in the order of the sources.
 * @throws {RangeError} if there is no image.
 * @throws {TypeError} if sizes differ, which they do only where `config` crops nothing.
 */
export async function preprocessImages(
  sources: readonly (string | Uint8Array)[],
  config: PreprocessConfig = CLIP_PREPROCESSING,
): Promise<HostTensor> {
  if (sources.length === 0) throw new RangeError("Cannot preprocess images: expected at least one, got none");
  let shape: readonly number[] = [];
  let values = new Float32Array(0);
  for (const [index, source] of sources.entries()) {
    const image = await preprocessImage(source, config);
    if (index === 0) {
      shape = image.shape;
      values = new Float32Array(sources.length * image.values.length);
    } else if (image.shape.some((length, axis) => length !== shape[axis])) {
      throw new TypeError(
        `Cannot batch image ${index}: expected shape [${shape.join(", ")}] as of the first, got [${image.shape.join(", ")}]`,
      );
    }
    values.set(image.values, index * image.values.length);
  }
  return { shape: [sources.length, ...shape], values };
}

function sizeAfterResize(image: RgbImage, size: NonNullable<PreprocessConfig["size"]>): { width: number; height: number } {
  if ("height" in size) return size;
  const { width, height } = image;
  const shortest = size.shortestEdge;
  const longest = Math.trunc((shortest * Math.max(width, height)) / Math.min(width, height));
  return width <= height ? { width: shortest, height: longest } : { width: longest, height: shortest };
}

/** Where the image is smaller than the crop, zeros (black) fill the rest. */
function cropCentre(image: RgbImage, size: { readonly height: number; readonly width: number }): RgbImage {
  const top = Math.floor((image.height - size.height) / 2);
  const left = Math.floor((image.width - size.width) / 2);
  const firstColumn = Math.max(0, left);
  const lastColumn = Math.min(image.width, left + size.width);
  const values = new Uint8Array(size.height * size.width * 3);
  for (let y = Math.max(0, -top); y < size.height && y + top < image.height; y++) {
    const row = (y + top) * image.width;
    values.set(image.values.subarray((row + firstColumn) * 3, (row + lastColumn) * 3), (y * size.width + firstColumn - left) * 3);
  }
  return { width: size.width, height: size.height, values };
}

/** In float32 steps, as numpy does: scale, subtract the mean, divide by the standard deviation. */
function normalise(image: RgbImage, { rescaleFactor, mean, std }: PreprocessConfig): Float32Array {
  const pixels = image.width * image.height;
  const values = new Float32Array(3 * pixels);
  for (let channel = 0; channel < 3; channel++) {
    const ofByte = Float32Array.from({ length: 256 }, (_, byte) =>
      Math.fround(Math.fround(Math.fround(byte * rescaleFactor) - Math.fround(mean[channel]!)) / Math.fround(std[channel]!)),
    );
    for (let pixel = 0; pixel < pixels; pixel++) values[channel * pixels + pixel] = ofByte[image.values[pixel * 3 + channel]!]!;
  }
  return values;
}
