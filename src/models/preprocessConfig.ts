import * as z from "zod";
import type { AlphaHandling } from "./decodeImage";

/** How images become pixels for a vision tower; what a Hugging Face `preprocessor_config.json` says. */
export interface PreprocessConfig {
  /** The shorter edge after resizing, or both edges, in pixels; null leaves the image's size. */
  readonly size: { readonly shortestEdge: number } | { readonly height: number; readonly width: number } | null;
  /** What is cut from the centre, in pixels, padded with zeros where the image is smaller; null cuts nothing. */
  readonly cropSize: { readonly height: number; readonly width: number } | null;
  /** Factor from bytes to the numbers that `mean` and `std` speak of: 1/255. */
  readonly rescaleFactor: number;
  /** By channel, red, green, blue; subtracted after rescaling. */
  readonly mean: readonly [number, number, number];
  /** By channel; divides after `mean` is subtracted. */
  readonly std: readonly [number, number, number];
  /** What becomes of transparency. */
  readonly alpha: AlphaHandling;
}

/** OpenAI's CLIP at 224 pixels: the defaults of CLIPImageProcessor. */
export const CLIP_PREPROCESSING: PreprocessConfig = {
  size: { shortestEdge: 224 },
  cropSize: { height: 224, width: 224 },
  rescaleFactor: 1 / 255,
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
  alpha: "drop",
};

const SIZE_FORMS = 'pixels, {"shortest_edge"} or {"height", "width"} (1 to 65535)';

const edge = z.int().min(1).max(65_535);
const rectangle = z.object({ height: edge, width: edge });
const flag = z.boolean("true or false").nullish();

/** The messages say what is expected. */
const schema = z.object(
  {
    do_resize: flag,
    size: z.union([edge, z.object({ shortest_edge: edge, longest_edge: z.null().optional() }), rectangle], SIZE_FORMS).nullish(),
    resample: z.literal(3, "3 (bicubic)").nullish(),
    do_center_crop: flag,
    crop_size: z.union([edge, rectangle], 'pixels or {"height", "width"} (1 to 65535)').nullish(),
    do_rescale: flag,
    rescale_factor: z.number("a positive number").positive("a positive number").nullish(),
    do_normalize: flag,
    image_mean: perChannel(z.number(), "a number or three"),
    image_std: perChannel(z.number().positive("a positive number or three"), "a positive number or three"),
  },
  "an object",
);

/**
 * Reads a Hugging Face `preprocessor_config.json` (or a `processor_config.json` that holds one as `image_processor`). What it leaves out is as in
 * CLIPImageProcessor; keys that say nothing about pixels are ignored.
 * @param text The file's text.
 * @param name The file's name, for errors.
 * @throws {SyntaxError} if the text is not JSON.
 * @throws {TypeError} if an entry has a value that CLIP's preprocessing can't follow; names the entry.
 */
export function parsePreprocessorConfig(text: string, name = "preprocessor_config.json"): PreprocessConfig {
  const value = imageProcessorOf(parseJson(text, name));
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const [entry] = issue.path;
    const got = JSON.stringify(entry === undefined ? value : (value as Record<PropertyKey, unknown>)[entry]);
    const where = entry === undefined ? "" : `entry "${String(entry)}": `;
    throw new TypeError(`Cannot read preprocessing from "${name}": ${where}expected ${issue.message}, got ${got}`);
  }
  const config = parsed.data;
  const crop = config.crop_size ?? CLIP_PREPROCESSING.cropSize!;
  return {
    size: config.do_resize === false ? null : sizeOf(config.size),
    cropSize: config.do_center_crop === false ? null : typeof crop === "number" ? { height: crop, width: crop } : crop,
    rescaleFactor: config.do_rescale === false ? 1 : (config.rescale_factor ?? CLIP_PREPROCESSING.rescaleFactor),
    mean: config.do_normalize === false ? [0, 0, 0] : (config.image_mean ?? CLIP_PREPROCESSING.mean),
    std: config.do_normalize === false ? [1, 1, 1] : (config.image_std ?? CLIP_PREPROCESSING.std),
    alpha: CLIP_PREPROCESSING.alpha,
  };
}

function perChannel(number: z.ZodNumber, expected: string) {
  const same = number.transform((value): [number, number, number] => [value, value, value]);
  return z.union([z.tuple([number, number, number]), same], expected).nullish();
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(`Cannot read preprocessing from "${name}": expected JSON, got ${(error as Error).message}`, { cause: error });
  }
}

function imageProcessorOf(value: unknown): unknown {
  if (typeof value === "object" && value !== null && "image_processor" in value) return value.image_processor;
  return value;
}

function sizeOf(size: z.infer<typeof schema>["size"]): PreprocessConfig["size"] {
  if (size === undefined || size === null) return CLIP_PREPROCESSING.size;
  if (typeof size === "number") return { shortestEdge: size };
  return "shortest_edge" in size ? { shortestEdge: size.shortest_edge } : size;
}
