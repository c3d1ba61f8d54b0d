import { nonDominated, type FrontPoint } from "./front";

/** What baselines attain at an ACC. */
export interface EnvelopeValue {
  readonly asr: number;
  /**
   * Where the ACC lies: `within` the baselines' front; `below` its lowest ACC; `beyond` its highest, which no baseline reaches.
   */
  readonly place: "within" | "below" | "beyond";
}

/**
 * The lowest ASR that baselines attain at an ACC or a higher one: the union of all their points, its non-dominated points by growing ACC,
 * joined by straight lines.
 *
 * - Between two neighbouring non-dominated points ASR is interpolated linearly in ACC. That is kinder to the baselines than the staircase of
 *   what was really run (which would take the right neighbour's ASR), as if the scale between two tried ones had been tried.
 * - Below the lowest non-dominated ACC it is that point's ASR, the lowest of all: who accepts less ACC can still take that model.
 * - Beyond the highest ACC it is the ASR of the point with that ACC: nothing is extrapolated, though the baseline does not have this ACC;
 *   `place` says so.
 * @param acc Fraction in [0, 1].
 * @throws {RangeError} if there is no point.
 */
export function asrAtAcc(baselines: readonly FrontPoint[], acc: number): EnvelopeValue {
  const front = nonDominated(baselines);
  const [lowest, highest] = [front[0], front.at(-1)];
  if (lowest === undefined || highest === undefined) {
    throw new RangeError("Cannot interpolate the baselines' front: expected at least 1 point, got 0");
  }
  if (acc > highest.acc) return { asr: highest.asr, place: "beyond" };
  if (acc < lowest.acc) return { asr: lowest.asr, place: "below" };
  const right = front.findIndex((point) => point.acc >= acc);
  const above = front[right]!;
  if (above.acc === acc) return { asr: above.asr, place: "within" };
  const below = front[right - 1]!;
  return { asr: below.asr + ((acc - below.acc) / (above.acc - below.acc)) * (above.asr - below.asr), place: "within" };
}
