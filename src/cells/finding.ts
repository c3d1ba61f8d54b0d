/** Measured quantities that claims are held against: means over seeds with their intervals. */
import type { Estimate } from "../figures";
import { mean, studentInterval } from "../selection";

/** One measured quantity. */
export interface Finding {
  /** A rate as a fraction, a difference of rates as a fraction (shown in points), or a plain number. */
  readonly value: number;
  /** 95 % interval; null with one run. */
  readonly interval: readonly [number, number] | null;
  /** How many runs (zoo seeds × seeds), or tasks, the value is the mean of. */
  readonly count: number;
  readonly over: "runs" | "tasks";
  readonly unit: "rate" | "points" | "number";
}

/**
 * Mean of one quantity over runs or tasks, with a 95 % interval by Student's t.
 * @param unit A rate's interval is cut to [0, 1].
 * @returns null where there is no value, or one is missing.
 */
export function findingOf(
  values: readonly (number | null | undefined)[],
  unit: Finding["unit"] = "rate",
  over: Finding["over"] = "runs",
): Finding | null {
  if (values.length === 0 || values.some((value) => value === null || value === undefined)) return null;
  const known = values as readonly number[];
  const interval = studentInterval(known);
  const cut = (end: number): number => (unit === "rate" ? Math.min(1, Math.max(0, end)) : end);
  return { value: mean(known), interval: interval && [cut(interval[0]), cut(interval[1])], count: known.length, over, unit };
}

/** A finding as charts and tables take it. */
export function findingRate(finding: Finding | null): Estimate | null {
  if (finding === null) return null;
  const { value, interval } = finding;
  return interval === null ? { value } : { value, interval };
}

/** One measured rate minus another one, such as of two settings; without an interval, since the runs are not paired here. */
export function findingDifference(first: Finding | null, second: Finding | null): Finding | null {
  if (first === null || second === null) return null;
  const { over, count } = first;
  return { value: first.value - second.value, interval: null, count: Math.min(count, second.count), over, unit: "points" };
}
