import { dominates, type FrontPoint } from "./front";
import { mean, variance } from "./pairedInterval";

/** All runs at one α. */
export interface AlphaRuns {
  readonly alpha: number;
  /** One a zoo seed and defence seed. */
  readonly runs: readonly FrontPoint[];
}

/** Two α next to each other. */
export interface AlphaStep {
  readonly from: number;
  readonly to: number;
  /** |mean ASR at `to` − mean ASR at `from`|. */
  readonly difference: number;
  /** Standard error of that difference, from the pooled variance; null where there is one run each. */
  readonly standardError: number | null;
}

/** Whether α walks along a front. */
export interface AlphaControl {
  /** Means by growing α; `dominated` by another mean. */
  readonly means: readonly (FrontPoint & { readonly alpha: number; readonly runs: number; readonly dominated: boolean })[];
  readonly steps: readonly AlphaStep[];
  /** No mean is dominated. */
  readonly nonDominated: boolean;
  /** Each step's difference is larger than its standard error. */
  readonly separated: boolean;
}

/**
 * Checks that α controls the trade-off: the means over all runs are mutually non-dominated, and neighbours' ASR differ by more than a pooled
 * standard error: `s_p · √(1/n₁ + 1/n₂)`, with `s_p² = ((n₁−1) s₁² + (n₂−1) s₂²) / (n₁+n₂−2)`. (Runs are taken as unpaired, which asks for
 * more than pairing them would.)
 * @throws {RangeError} if an α occurs twice or has no run.
 */
export function checkAlphaControl(given: readonly AlphaRuns[]): AlphaControl {
  const sorted = [...given].sort((a, b) => a.alpha - b.alpha);
  for (const [index, { alpha, runs }] of sorted.entries()) {
    if (sorted[index + 1]?.alpha === alpha)
      throw new RangeError(`Cannot check the control by alpha: expected different values, got ${alpha} twice`);
    if (runs.length === 0) throw new RangeError(`Cannot check the control by alpha: expected at least 1 run at ${alpha}, got 0`);
  }
  const averages = sorted.map(({ alpha, runs }) => ({
    alpha,
    runs: runs.length,
    acc: mean(runs.map(({ acc }) => acc)),
    asr: mean(runs.map(({ asr }) => asr)),
  }));
  const means = averages.map((point) => ({ ...point, dominated: averages.some((other) => dominates(other, point)) }));
  const steps = sorted.slice(1).map(({ alpha, runs }, index): AlphaStep => {
    const before = sorted[index]!;
    const difference = Math.abs(means[index + 1]!.asr - means[index]!.asr);
    const asr = (points: readonly FrontPoint[]): number[] => points.map((point) => point.asr);
    return { from: before.alpha, to: alpha, difference, standardError: pooledStandardError(asr(before.runs), asr(runs)) };
  });
  return {
    means,
    steps,
    nonDominated: means.every(({ dominated }) => !dominated),
    separated: steps.every(({ difference, standardError }) => standardError !== null && difference > standardError),
  };
}

/** Standard error of the difference of two means, from the pooled variance; null for fewer than three values in all. */
export function pooledStandardError(first: readonly number[], second: readonly number[]): number | null {
  const [n, m] = [first.length, second.length];
  if (n === 0 || m === 0 || n + m < 3) return null;
  const squares = (values: readonly number[]): number => (values.length < 2 ? 0 : variance(values) * (values.length - 1));
  return Math.sqrt(((squares(first) + squares(second)) / (n + m - 2)) * (1 / n + 1 / m));
}
