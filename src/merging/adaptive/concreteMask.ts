/**
 * @file Concrete masks: m = s / mean(s), s = sigmoid((logit(u) + Z) / T), the relaxed Bernoulli distribution of Maddison et al. 2017
 * (arXiv:1611.00712) over parameters (Tang et al. 2023, Concrete Subspace Learning, arXiv:2312.06173).
 */
import { nativeVectors, type RandomStream } from "../../engine";
import { openGates } from "./gates";
import { expandMask, sumOverElements, type MaskLayout } from "./maskLayout";
import type { Rooms } from "./rooms";

/** Temperature of the released code and of the papers. */
export const MASK_TEMPERATURE = 0.5;

/**
 * A mask with what its gradient needs. Gates and the mask itself may be made anew at each reading, because big models need the memory: read
 * them before the logits change.
 */
export interface ConcreteMask {
  /** s of one of the layout's scopes, in [0, 1], one a logit; valid until the next reading of this mask. */
  gatesOf(scope: number): Float32Array;
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
  const room = new Float32Array(Math.max(...layout.scopes.map(({ start, end }) => end - start)));
  const gatesOf = (scope: number): Float32Array => {
    const { start, end } = layout.scopes[scope]!;
    const gates = room.subarray(0, end - start);
    const sum = native.openGates(gates, logits.subarray(start, end), noise && noise.subarray(start, end), 1 / temperature);
    means[scope] = sum / (end - start);
    return gates;
  };
  for (const scope of means.keys()) gatesOf(scope);
  return withMask(layout, gatesOf, means, temperature);
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
  return withMask(layout, (scope) => gates.subarray(scopes[scope]!.start, scopes[scope]!.end), means, temperature);
}

type Gates = Pick<ConcreteMask, "gatesOf" | "means">;

function withMask(layout: MaskLayout, gatesOf: Gates["gatesOf"], means: Float64Array, temperature: number): ConcreteMask {
  return {
    gatesOf,
    means,
    temperature,
    get mask() {
      return applyMask(layout, { gatesOf, means }, new Float32Array(layout.logits), true);
    },
  };
}

/** target ← (fresh ? 1 : target) · m, in place. */
function applyMask({ scopes }: MaskLayout, { gatesOf, means }: Gates, target: Float32Array, fresh = false): Float32Array {
  const native = nativeVectors();
  for (const [scope, { start, end }] of scopes.entries()) {
    const mean = means[scope]!;
    const part = target.subarray(start, end);
    if (!(mean > 0)) part.fill(0);
    else if (native) native.scaleVector(part, gatesOf(scope), mean, fresh ? 1 : 0);
    else if (fresh) divide(part, gatesOf(scope), mean);
    else multiplyBy(part, gatesOf(scope), mean);
  }
  return target;
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

function multiplyBy(target: Float32Array, values: Float32Array, divisor: number): void {
  for (let i = 0; i < target.length; i++) target[i] = target[i]! * Math.fround(values[i]! / divisor);
}

function divide(target: Float32Array, values: Float32Array, divisor: number): void {
  for (let i = 0; i < target.length; i++) target[i] = values[i]! / divisor;
}

/**
 * The factor of each parameter element under several masks, one applied after the other: their product. Null for no mask at all.
 * @param rooms Where the factors take the room of the mask; in new memory by default.
 */
export function composeMasks(layout: MaskLayout, masks: readonly ConcreteMask[], rooms?: Rooms): Float32Array | null {
  if (masks.length === 0) return null;
  const room = rooms?.take("mask");
  const target = (layout.granularity === "weight" ? room : undefined) ?? new Float32Array(layout.logits);
  for (const [index, mask] of masks.entries()) applyMask(layout, mask, target, index === 0);
  return expandMask(layout, target, room);
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
  const { means, temperature } = concrete;
  const { scopes, counts } = layout;
  const slopes = startSlopes(layout, elementGradient, target);
  for (const other of others) applyMask(layout, other, slopes);
  const native = counts ? null : nativeVectors();
  for (const [index, { start, end }] of scopes.entries()) {
    const mean = means[index]!;
    // m_i = s_i / mean(s): ∂L/∂s_i = w_i / mean − n_i ⟨w, s⟩ / (n mean²), n_i elements of the logit
    const [own, gates] = [slopes.subarray(start, end), concrete.gatesOf(index)];
    if (native) {
      const shared = native.dotVector(own, gates) / (mean * mean * (end - start));
      native.slopeVector(own, gates, mean, shared, temperature);
    } else takeSlopes(own, gates, counts && counts.subarray(start, end), mean, temperature);
  }
  return slopes;
}

function takeSlopes(slopes: Float32Array, gates: Float32Array, counts: Float64Array | null, mean: number, temperature: number): void {
  let inner = 0;
  let count = 0;
  for (let i = 0; i < slopes.length; i++) {
    inner += slopes[i]! * gates[i]!;
    count += counts ? counts[i]! : 1;
  }
  const shared = inner / (mean * mean * count);
  for (let i = 0; i < slopes.length; i++) {
    const gate = gates[i]!;
    const slope = slopes[i]! / mean - shared * (counts ? counts[i]! : 1);
    slopes[i] = (slope * gate * (1 - gate)) / temperature;
  }
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
