/** Measured quantities that claims are held against: means over seeds with their intervals. */
import type { Estimate } from "../figures";
import { mean, studentInterval } from "../selection";

/** One measured quantity. */
export interface Finding {
  /** A rate as a fraction, a difference of rates as a fraction (shown in points), or a plain number. */
  readonly value: number;
  /** 95 % interval; null with one run. */
  readonly interval: readonly [number, number] | null;
  /** Runs (zoo seeds × seeds) behind the value. */
  readonly runs: number;
  readonly unit: "rate" | "points" | "number";
}

/**
 * Mean of one quantity over runs, with a 95 % interval by Student's t.
 * @param unit A rate's interval is cut to [0, 1].
 * @returns null where there is no value, or one is missing.
 */
export function findingOf(values: readonly (number | null | undefined)[], unit: Finding["unit"] = "rate"): Finding | null {
  if (values.length === 0 || values.some((value) => value === null || value === undefined)) return null;
  const known = values as readonly number[];
  const interval = studentInterval(known);
  const cut = (end: number): number => (unit === "rate" ? Math.min(1, Math.max(0, end)) : end);
  return { value: mean(known), interval: interval && [cut(interval[0]), cut(interval[1])], runs: known.length, unit };
}

/** A finding as charts and tables take it. */
export function findingRate(finding: Finding | null): Estimate | null {
  if (finding === null) return null;
  const { value, interval } = finding;
  return interval === null ? { value } : { value, interval };
}
