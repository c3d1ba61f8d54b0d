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
  /** The sticker that did it. */
  readonly sticker: Sticker;
}

/** What patches made against the pretrained model do to a model. */
export interface Recall {
  /** Largest excess of one such patch's capture over its capture of the pretrained model, in [−1, 1]. */
  readonly recall: number;
  /** The class that the patch was made for. */
  readonly recallTarget: number;
}

/** What was found in a model; without recall where stickers said enough, or nobody asked. */
export type Findings = Finding & (Recall | { readonly recall: null; readonly recallTarget: null });

/** Numbers of a finding, before the sticker's pixels. */
const FIELDS = ["capture", "target", "pretrainedCapture", "x", "y", "height", "width", "harm", "age", "recall", "recallTarget"] as const;

/** How many numbers a finding takes at the most. */
export function findingLength({ stickerMax }: { readonly stickerMax: number }): number {
  return FIELDS.length + 3 * stickerMax ** 2;
}

/** A finding as numbers. */
export function packFinding({ sticker, ...found }: Findings): number[] {
  const fields = { ...found, ...sticker };
  return [...FIELDS.map((field) => fields[field] ?? NaN), ...sticker.pixels];
}

/** The finding of some numbers; null where there is none yet: −1 everywhere. */
export function unpackFinding(numbers: Float32Array): Findings | null {
  const field = (name: (typeof FIELDS)[number]): number => numbers[FIELDS.indexOf(name)]!;
  if (field("capture") < 0) return null;
  const [height, width] = [field("height"), field("width")];
  const pixels = numbers.slice(FIELDS.length, FIELDS.length + 3 * height * width);
  const recall = field("recall");
  return {
    capture: field("capture"),
    target: field("target"),
    pretrainedCapture: field("pretrainedCapture"),
    sticker: { x: field("x"), y: field("y"), height, width, harm: field("harm"), age: field("age"), pixels },
    ...(Number.isNaN(recall) ? { recall: null, recallTarget: null } : { recall, recallTarget: field("recallTarget") }),
  };
}

/** Share of the images of other classes that are seen as the target. */
export function captureOf(own: Int32Array, seen: Int32Array, target: number): number {
  let [others, captured] = [0, 0];
  for (const [image, first] of own.entries()) {
    if (first === target) continue;
    others++;
    if (seen[image] === target) captured++;
  }
  return others === 0 ? 0 : captured / others;
}
