/** @file The front of a plane in which ACC is wanted high and ASR low. Both are fractions in [0, 1]. */

/** One run in the plane. */
export interface FrontPoint {
  readonly acc: number;
  readonly asr: number;
}

/** Whether a point is at least as good in both and better in one. Equal points don't dominate each other. */
export function dominates(better: FrontPoint, worse: FrontPoint): boolean {
  return better.acc >= worse.acc && better.asr <= worse.asr && (better.acc > worse.acc || better.asr < worse.asr);
}

/** Whether no point of a list dominates another one. */
export function mutuallyNonDominated(points: readonly FrontPoint[]): boolean {
  return points.every((point) => !points.some((other) => dominates(other, point)));
}

/**
 * The non-dominated points by growing ACC, and so by growing ASR; equal points all stay, in the order given.
 * @returns The very objects given.
 * @throws {RangeError} if a point has no number as ACC or ASR.
 */
export function nonDominated<Point extends FrontPoint>(points: readonly Point[]): Point[] {
  for (const [index, { acc, asr }] of points.entries()) {
    if (!Number.isFinite(acc) || !Number.isFinite(asr)) {
      throw new RangeError(`Cannot find the front: expected numbers as ACC and ASR of point ${index + 1}, got ${acc} and ${asr}`);
    }
  }
  return points.filter((point) => !points.some((other) => dominates(other, point))).sort((a, b) => a.acc - b.acc || a.asr - b.asr);
}
