/** Which mask logit governs which parameter element. */
import type { VisionConfig } from "../../models";
import type { ParameterLayout } from "../../training";

/**
 * What one mask logit governs:
 * - `weight` (default, as in the paper): one element;
 * - `neuron`: one row of a matrix (an output neuron), or one element of a vector;
 * - `head`: one attention head's rows of the query, key and value projections and its columns of the output projection; the other tensors whole;
 * - `layer`: one parameter tensor.
 */
export type MaskGranularity = "weight" | "neuron" | "head" | "layer";

/** One parameter tensor's part of a mask. Element i, counted within the tensor, belongs to logit `first + ⌊(i mod period) / span⌋`. */
export interface MaskSlot {
  readonly start: number;
  readonly end: number;
  readonly first: number;
  readonly period: number;
  readonly span: number;
}

/** How a mask covers the merged parameters. */
export interface MaskLayout {
  readonly granularity: MaskGranularity;
  readonly slots: readonly MaskSlot[];
  /** Mask logits. */
  readonly logits: number;
  /** Parameter elements. */
  readonly elements: number;
  /**
   * Ranges of logits over which a mask is rescaled to mean 1 (each logit counts as often as it has elements): one a tensor, as in the paper;
   * one for all where a tensor may have a single logit, whose rescaled mask would always be 1.
   */
  readonly scopes: readonly { readonly start: number; readonly end: number }[];
  /** Elements of each logit; null where it is one each. */
  readonly counts: Float64Array | null;
}

/** Lays a mask over the merged parameters. */
export function layoutMask(layout: ParameterLayout, granularity: MaskGranularity, config: VisionConfig): MaskLayout {
  let first = 0;
  const slots = layout.map(({ name, shape, start, end }): MaskSlot => {
    const pattern = patternOf(name, shape, end - start, granularity, config);
    const slot = { start, end, first, ...pattern };
    first += Math.ceil(Math.min(pattern.period, end - start) / pattern.span);
    return slot;
  });
  const ends = [...slots.slice(1).map((slot) => slot.first), first];
  const perTensor = granularity === "weight" || granularity === "neuron";
  const scopes = perTensor ? slots.map((slot, index) => ({ start: slot.first, end: ends[index]! })) : [{ start: 0, end: first }];
  const elements = layout.at(-1)?.end ?? 0;
  const mask = { granularity, slots, logits: first, elements, scopes };
  if (granularity === "weight") return { ...mask, counts: null };
  return { ...mask, counts: sumOverElements({ ...mask, counts: null }, new Float32Array(elements).fill(1)) };
}

function patternOf(
  name: string,
  shape: readonly number[],
  elements: number,
  granularity: MaskGranularity,
  { hiddenSize, heads }: VisionConfig,
): { period: number; span: number } {
  if (granularity === "weight") return { period: elements, span: 1 };
  if (granularity === "neuron") return { period: elements, span: shape.length > 1 ? elements / shape[0]! : 1 };
  if (granularity === "head") {
    const width = hiddenSize / heads;
    if (/\.[qkv]_proj\.(weight|bias)$/.test(name)) return { period: elements, span: elements / heads };
    if (name.endsWith(".out_proj.weight")) return { period: hiddenSize, span: width };
  }
  return { period: elements, span: elements };
}

/**
 * The factor of each element. For granularity `weight` the given array itself.
 * @param mask One factor a logit.
 * @param room Memory that the factors of other granularities may take; new by default.
 */
export function expandMask(layout: MaskLayout, mask: Float32Array, room?: Float32Array): Float32Array {
  if (layout.granularity === "weight") return mask;
  const expanded = room ?? new Float32Array(layout.elements);
  for (const { start, end, first, period, span } of layout.slots) {
    for (let i = start; i < end; i++) expanded[i] = mask[first + Math.floor(((i - start) % period) / span)]!;
  }
  return expanded;
}

/** Sums values of elements logit by logit: what a gradient by elements is for logits. */
export function sumOverElements(layout: MaskLayout, values: Float32Array): Float64Array {
  const sums = new Float64Array(layout.logits);
  for (const { start, end, first, period, span } of layout.slots) {
    for (let i = start; i < end; i++) sums[first + Math.floor(((i - start) % period) / span)]! += values[i]!;
  }
  return sums;
}
