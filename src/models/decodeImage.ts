import type { Sharp } from "sharp";
import type { RgbImage } from "./resample";

/** What becomes of transparency: `drop` keeps the colours and ignores it, `white` lays the image over white. */
export type AlphaHandling = "drop" | "white";

/**
 * Decodes an image file (JPEG, PNG, WebP, TIFF, GIF's first frame, …) to upright 8-bit RGB, as Pillow's `exif_transpose` and `convert("RGB")`
 * do in the `load_image` of Hugging Face transformers: the EXIF orientation is applied, colour profiles are ignored, CMYK is converted by its
 * plain formula, 16 bits keep their upper byte, but 16-bit grey is cut off at 255.
 * @param source A file's path, or its bytes.
 * @param alpha `drop` (default) is what `convert("RGB")` does; `white` is what the image processors of transformers 5 do when they are given an
 *   image that still has transparency.
 * @throws {SyntaxError} if the file is not an image that can be decoded; names the file.
 */
export async function decodeImage(source: string | Uint8Array, alpha: AlphaHandling = "drop"): Promise<RgbImage> {
  try {
    return await decode(source, alpha);
  } catch (error) {
    const name = typeof source === "string" ? `"${source}"` : `of ${source.length} bytes`;
    const reason = (error instanceof Error ? error.message : String(error)).split("\n")[0];
    throw new SyntaxError(`Cannot decode image ${name}: expected a readable image file, got ${reason}`, { cause: error });
  }
}

async function decode(source: string | Uint8Array, alpha: AlphaHandling): Promise<RgbImage> {
  const { default: sharp } = await import("sharp"); // slow to load, and rarely needed
  const image = sharp(source, { ignoreIcc: true, failOn: "error" }).autoOrient();
  const { space, channels, depth } = await image.metadata();
  if (space === "cmyk" && channels === 4) return fromCmyk(await raw(image.pipelineColourspace("cmyk").toColourspace("cmyk")));
  if (depth === "ushort" && channels === 1) return fromDeepGrey(await raw(image.toColourspace("grey16"), "ushort"));
  if (alpha === "white") return overWhite(await raw(image.toColourspace("srgb").ensureAlpha()));
  return await raw(image.removeAlpha().toColourspace("srgb"));
}

async function raw(image: Sharp, depth: "uchar" | "ushort" = "uchar"): Promise<RgbImage> {
  const { data, info } = await image.raw({ depth }).toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, values: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}

function fromDeepGrey({ width, height, values }: RgbImage): RgbImage {
  const levels = new DataView(values.buffer, values.byteOffset, values.byteLength);
  const grey = (pixel: number) => Math.min(255, levels.getUint16(pixel * 2, true));
  return fromPixels(width, height, grey);
}

function fromCmyk({ width, height, values }: RgbImage): RgbImage {
  return fromPixels(width, height, (pixel, channel) => {
    const light = 255 - values[pixel * 4 + 3]!;
    return Math.max(0, light - divideBy255(values[pixel * 4 + channel]! * light));
  });
}

/** Pillow's `alpha_composite` over opaque white; it carries seven more bits. */
function overWhite({ width, height, values }: RgbImage): RgbImage {
  return fromPixels(width, height, (pixel, channel) => {
    const opacity = values[pixel * 4 + 3]!;
    const sum = (values[pixel * 4 + channel]! * opacity + 255 * (255 - opacity) + 128) * 128;
    return (sum + (sum >> 8)) >> 15;
  });
}

/** Rounded division by 255 of a product of two bytes, in integers (Pillow's MULDIV255). */
function divideBy255(product: number): number {
  const sum = product + 128;
  return (sum + (sum >> 8)) >> 8;
}

function fromPixels(width: number, height: number, byte: (pixel: number, channel: number) => number): RgbImage {
  const values = new Uint8Array(width * height * 3);
  for (let pixel = 0, to = 0; pixel < width * height; pixel++) {
    for (let channel = 0; channel < 3; channel++) values[to++] = byte(pixel, channel);
  }
  return { width, height, values };
}
