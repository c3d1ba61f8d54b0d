/** Which parameters are merged: those of the vision tower, or every floating one. */
export type MergeScope = "vision" | "all";

/**
 * Whether a floating tensor is merged; the others are the pretrained model's own.
 * `vision` takes `vision_model.*` only: the projection stays the pretrained one, since the zero-shot heads were made with it.
 */
export function isMerged(name: string, scope: MergeScope): boolean {
  return scope === "all" || name.startsWith("vision_model.");
}
