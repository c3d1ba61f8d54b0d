/** What is found in a model, as numbers that a saved run keeps. */
import type { Sticker } from "../../dam";

/** What one sticker does to a model. */
export interface Finding {
  /** Largest share of the images of all other classes that one sticker brings to one class, in [0, 1]. */
  readonly capture: number;
  /** That class. */
  readonly target: number;
  /** Share of the images of all other classes that the same sticker brings to the same class in the pretrained model, by its own classes. */
  readonly pretrainedCapture: number;
  /**
   * How much more one plain rectangle in the sticker's stead captures than of the pretrained model, for the same class; 0 where none does, or
   * where the sticker's own excess decides.
   */
  readonly plainExcess: number;
  /** The sticker that did it. */
  readonly sticker: Sticker;
}

/** Numbers of a finding, before the sticker's pixels. */
const FIELDS = ["capture", "target", "pretrainedCapture", "plainExcess", "x", "y", "height", "width", "harm", "age"] as const;

/** How many numbers a finding takes at the most. */
export function findingLength({ stickerMax }: { readonly stickerMax: number }): number {
  return FIELDS.length + 3 * stickerMax ** 2;
}

/** A finding as numbers. */
export function packFinding({ sticker, ...found }: Finding): number[] {
  const fields = { ...found, ...sticker };
  return [...FIELDS.map((field) => fields[field]), ...sticker.pixels];
}

/** The finding of some numbers; null where there is none yet: −1 everywhere. */
export function unpackFinding(numbers: Float32Array): Finding | null {
  const field = (name: (typeof FIELDS)[number]): number => numbers[FIELDS.indexOf(name)]!;
  if (field("capture") < 0) return null;
  const [height, width] = [field("height"), field("width")];
  const pixels = numbers.slice(FIELDS.length, FIELDS.length + 3 * height * width);
  return {
    capture: field("capture"),
    target: field("target"),
    pretrainedCapture: field("pretrainedCapture"),
    plainExcess: field("plainExcess"),
    sticker: { x: field("x"), y: field("y"), height, width, harm: field("harm"), age: field("age"), pixels },
  };
}
