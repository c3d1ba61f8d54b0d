import { studentQuantile } from "./studentQuantile";

/** Mean of differences, and how sure it is. */
export interface PairedInterval {
  readonly mean: number;
  /** Standard error of the mean, pairs taken as independent; null with one pair. */
  readonly standardError: number | null;
  /** 95 % interval by Student's t over all pairs; null with one pair. */
  readonly interval: readonly [number, number] | null;
  /** 95 % interval by Student's t over the groups' means; null with one group. */
  readonly groupedInterval: readonly [number, number] | null;
}

/**
 * Mean and 95 % interval of paired differences.
 *
 * Each difference is of two runs that share models, triggers, test images and seed, so what these do to both cancels. The interval is
 * Student's t over the pairs (a bootstrap of nine values would be too narrow: its percentile intervals miss the t's heavier tails, by about
 * a fifth of the width at n = 9). It says how sure the mean is for *these* groups. Pairs of one group (one zoo seed) share models and
 * triggers and are not independent where the groups differ; `groupedInterval`, t over the groups' means, is for a group not yet seen,
 * and with three groups is wide.
 * @throws {RangeError} if there is no pair.
 */
export function pairedInterval(differences: readonly { readonly value: number; readonly group: string | number }[]): PairedInterval {
  if (differences.length === 0) throw new RangeError("Cannot average paired differences: expected at least 1 pair, got 0");
  const groups = new Map<string | number, number[]>();
  for (const { value, group } of differences) groups.set(group, [...(groups.get(group) ?? []), value]);
  const values = differences.map(({ value }) => value);
  return {
    mean: mean(values),
    standardError: values.length > 1 ? standardError(values) : null,
    interval: studentInterval(values),
    groupedInterval: studentInterval([...groups.values()].map(mean)),
  };
}

/** 95 % interval of a mean by Student's t: `mean ± t(n − 1) · s / √n`; null for fewer than two values. */
export function studentInterval(values: readonly number[]): [number, number] | null {
  if (values.length < 2) return null;
  const half = studentQuantile(values.length - 1) * standardError(values);
  const centre = mean(values);
  return [centre - half, centre + half];
}

/** Plain mean. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Sample variance, with n − 1. */
export function variance(values: readonly number[]): number {
  const centre = mean(values);
  return values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);
}

/** Standard error of a mean: `s / √n`. */
export function standardError(values: readonly number[]): number {
  return Math.sqrt(variance(values) / values.length);
}
