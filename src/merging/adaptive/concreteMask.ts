/**
 * @file Concrete masks: m = s / mean(s), s = sigmoid((logit(u) + Z) / T), the relaxed Bernoulli distribution of Maddison et al. 2017
 * (arXiv:1611.00712) over parameters (Tang et al. 2023, Concrete Subspace Learning, arXiv:2312.06173).
 */
import { nativeVectors, type RandomStream } from "../../engine";
import { openGates } from "./gates";
import { expandMask, sumOverElements, type MaskLayout } from "./maskLayout";

/** Temperature of the released code and of the papers. */
export const MASK_TEMPERATURE = 0.5;

/**
 * A mask with what its gradient needs. Gates of a noise-free mask and the mask itself are made anew at each reading, because big models need the
 * memory: read them before the logits change.
 */
export interface ConcreteMask {
  /** s, one a logit, in [0, 1]. */
  readonly gates: Float32Array;
  /** Mean of s over each of the layout's scopes. */
  readonly means: Float64Array;
  /** m = s / mean(s), one a logit. */
  readonly mask: Float32Array;
  readonly temperature: number;
}

/** How a mask is fixed when training is over: noise-free, one seeded draw, or cut at a probability. */
export type EvaluationMask = "mean" | "sample" | "threshold";

/** Logistic noise logit(u), u uniform: one number a logit. */
export function logisticNoise(random: RandomStream, count: number): Float32Array {
  const noise = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    // Half a step inside (0, 1), so that no logarithm is infinite.
    const u = (random.word() + 0.5) / 2 ** 32;
    noise[i] = Math.log(u / (1 - u));
  }
  return noise;
}

/**
 * The mask of some logits.
 * @param noise logit(u), one a logit; null for the noise-free mask sigmoid(Z / T) / mean.
 */
export function relaxMask(
  layout: MaskLayout,
  logits: Float32Array,
  noise: Float32Array | null,
  temperature = MASK_TEMPERATURE,
): ConcreteMask {
  const native = layout.counts ? null : nativeVectors();
  if (!native)
    return describeGates(layout, noise ? openNoisyGates(logits, noise, temperature) : openGates(logits, temperature), temperature);
  const means = new Float64Array(layout.scopes.length);
  const open = (): Float32Array => {
    const gates = new Float32Array(logits.length);
    for (const [index, { start, end }] of layout.scopes.entries()) {
      const part = (values: Float32Array): Float32Array => values.subarray(start, end);
      means[index] = native.openGates(part(gates), part(logits), noise && part(noise), 1 / temperature) / (end - start);
    }
    return gates;
  };
  const gates = open();
  return withMask(layout, noise ? () => gates : open, means, temperature);
}

/** The mask that keeps what has at least this probability sigmoid(Z), rescaled; a scope of which nothing is kept becomes zeros. */
export function thresholdMask(layout: MaskLayout, logits: Float32Array, probability = 0.5): Float32Array {
  const limit = Math.log(probability / (1 - probability));
  const gates = logits.map((logit) => (logit >= limit ? 1 : 0));
  return describeGates(layout, gates, MASK_TEMPERATURE).mask;
}

function describeGates(layout: MaskLayout, gates: Float32Array, temperature: number): ConcreteMask {
  const { scopes, counts } = layout;
  const means = Float64Array.from(scopes, ({ start, end }) =>
    counts ? weightedMean(gates, counts, start, end) : plainMean(gates, start, end),
  );
  return withMask(layout, () => gates, means, temperature);
}

type Gates = Pick<ConcreteMask, "gates" | "means">;

function withMask(layout: MaskLayout, open: () => Float32Array, means: Float64Array, temperature: number): ConcreteMask {
  return {
    means,
    temperature,
    get gates() {
      return open();
    },
    get mask() {
      return applyMask(layout, { gates: open(), means }, null);
    },
  };
}

/** target ← (1, or target) · m, in place where there is a target. */
function applyMask({ scopes }: MaskLayout, { gates, means }: Gates, target: Float32Array | null): Float32Array {
  const native = nativeVectors();
  const result = target ?? new Float32Array(gates.length);
  for (const [index, { start, end }] of scopes.entries()) {
    const mean = means[index]!;
    if (!(mean > 0)) result.fill(0, start, end);
    else if (native) native.scaleVector(result.subarray(start, end), gates.subarray(start, end), mean, target ? 0 : 1);
    else if (target) multiplyBy(result, gates, mean, start, end);
    else divide(result, gates, mean, start, end);
  }
  return result;
}

// Loops over all parameters stand in functions of their own, which the compiler specialises.

function openNoisyGates(logits: Float32Array, noise: Float32Array, temperature: number): Float32Array {
  const gates = new Float32Array(logits.length);
  for (let i = 0; i < gates.length; i++) gates[i] = 1 / (1 + Math.exp(-(noise[i]! + logits[i]!) / temperature));
  return gates;
}

function plainMean(values: Float32Array, start: number, end: number): number {
  let sum = 0;
  for (let i = start; i < end; i++) sum += values[i]!;
  return sum / (end - start);
}

function weightedMean(values: Float32Array, counts: Float64Array, start: number, end: number): number {
  let sum = 0;
  let count = 0;
  for (let i = start; i < end; i++) {
    sum += counts[i]! * values[i]!;
    count += counts[i]!;
  }
  return sum / count;
}

function multiplyBy(target: Float32Array, values: Float32Array, divisor: number, start: number, end: number): void {
  for (let i = start; i < end; i++) target[i] = target[i]! * Math.fround(values[i]! / divisor);
}

function divide(target: Float32Array, values: Float32Array, divisor: number, start: number, end: number): void {
  for (let i = start; i < end; i++) target[i] = values[i]! / divisor;
}

/**
 * The factor of each parameter element under several masks, one applied after the other: their product. Null for no mask at all.
 */
export function composeMasks(layout: MaskLayout, masks: readonly ConcreteMask[]): Float32Array | null {
  if (masks.length === 0) return null;
  return expandMask(
    layout,
    masks.slice(1).reduce((product, mask) => applyMask(layout, mask, product), masks[0]!.mask),
  );
}

/** Element-wise product of factors by logit. */
export function product(factors: readonly Float32Array[]): Float32Array {
  const result = factors[0]!.slice();
  for (const factor of factors.slice(1)) for (let i = 0; i < result.length; i++) result[i] = result[i]! * factor[i]!;
  return result;
}

/**
 * ∂L/∂Z of one mask, through the division by the mean and the sigmoid.
 * @param elementGradient ∂L/∂m of the composed mask, one an element.
 * @param others The masks that this one was multiplied with.
 * @param target Where to, if one logit governs one element; may be the elements' gradient itself. A new array by default.
 */
export function logitGradient(
  layout: MaskLayout,
  concrete: ConcreteMask,
  elementGradient: Float32Array,
  others: readonly ConcreteMask[] = [],
  target?: Float32Array,
): Float32Array {
  const { gates, means, temperature } = concrete;
  const { scopes, counts } = layout;
  const slopes = startSlopes(layout, elementGradient, target);
  for (const other of others) applyMask(layout, other, slopes);
  const native = counts ? null : nativeVectors();
  for (const [index, { start, end }] of scopes.entries()) {
    const mean = means[index]!;
    // m_i = s_i / mean(s): ∂L/∂s_i = w_i / mean − n_i ⟨w, s⟩ / (n mean²), n_i elements of the logit
    if (native) {
      const [own, open] = [slopes.subarray(start, end), gates.subarray(start, end)];
      const shared = native.dotVector(own, open) / (mean * mean * (end - start));
      native.slopeVector(own, open, mean, shared, temperature);
      continue;
    }
    let inner = 0;
    let count = 0;
    for (let i = start; i < end; i++) {
      inner += slopes[i]! * gates[i]!;
      count += counts ? counts[i]! : 1;
    }
    const shared = inner / (mean * mean * count);
    for (let i = start; i < end; i++) {
      const gate = gates[i]!;
      const slope = slopes[i]! / mean - shared * (counts ? counts[i]! : 1);
      slopes[i] = (slope * gate * (1 - gate)) / temperature;
    }
  }
  return slopes;
}

function startSlopes(layout: MaskLayout, elementGradient: Float32Array, target?: Float32Array): Float32Array {
  if (layout.granularity !== "weight") return Float32Array.from(sumOverElements(layout, elementGradient));
  if (target === undefined) return elementGradient.slice();
  if (target !== elementGradient) target.set(elementGradient);
  return target;
}

/** Density of a mask: the expected fraction of parameter elements that are kept, the mean of sigmoid(Z). */
export function maskDensity({ counts }: MaskLayout, logits: Float32Array): number {
  const native = counts ? null : nativeVectors();
  if (native) return native.sumProbabilities(logits) / logits.length;
  let kept = 0;
  let all = 0;
  for (let i = 0; i < logits.length; i++) {
    const count = counts ? counts[i]! : 1;
    kept += count / (1 + Math.exp(-logits[i]!));
    all += count;
  }
  return kept / all;
}
