import { nonDominated, type FrontPoint } from "./front";

/** The worst corner of the plane: no image right, every attack a success. */
export const HYPERVOLUME_REFERENCE: FrontPoint = { acc: 0, asr: 1 };

/**
 * Area that a front dominates, between its points and the reference (Zitzler and Thiele 1998): of all pairs of ACC and ASR that a user could
 * ask for, the share that some point fulfils.
 * @param reference Points that are not better than it in both count nothing; default ACC 0, ASR 1, which makes it a fraction in [0, 1].
 */
export function hypervolume(points: readonly FrontPoint[], reference: FrontPoint = HYPERVOLUME_REFERENCE): number {
  const front = nonDominated(points.filter(({ acc, asr }) => acc > reference.acc && asr < reference.asr));
  let area = 0;
  let reached = reference.acc;
  // Each point adds the strip of ACC up to its own that no point with less ACC reaches.
  for (const { acc, asr } of front) {
    area += (acc - reached) * (reference.asr - asr);
    reached = acc;
  }
  return area;
}
