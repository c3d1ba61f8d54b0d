import { asrAtAcc, type EnvelopeValue } from "./baselineEnvelope";
import type { FrontPoint } from "./front";
import { pairedInterval, type PairedInterval } from "./pairedInterval";

/** A defence against the baselines at its own ACC. */
export interface Gap {
  /** The baselines' ASR at the defence's ACC minus the defence's ASR: positive where the defence is better. */
  readonly gap: number;
  /** The baselines' ASR there. */
  readonly baselineAsr: number;
  readonly place: EnvelopeValue["place"];
  /** The defence's ACC minus the highest ACC of a baseline. */
  readonly accBelowBest: number;
}

/**
 * Gap at equal ACC: what the defence is worth beyond scaling the baselines' coefficients down; see `asrAtAcc()` for what baselines attain.
 * @param baselines The points of all baselines together; at least one.
 */
export function gapAtEqualAcc(defence: FrontPoint, baselines: readonly FrontPoint[]): Gap {
  const { asr, place } = asrAtAcc(baselines, defence.acc);
  const best = baselines.reduce((most, { acc }) => Math.max(most, acc), -Infinity);
  return { gap: asr - defence.asr, baselineAsr: asr, place, accBelowBest: defence.acc - best };
}

/** A defence and the baselines of the same attack, the same models and the same seed. */
export interface PairedRuns {
  /** Which zoo (attack, triggers, backdoored models). */
  readonly zooSeed: number;
  /** Of the defence, and of the baselines that draw random numbers. */
  readonly seed: number;
  readonly defence: FrontPoint;
  readonly baselines: readonly FrontPoint[];
}

/** Gaps of all pairs, with their mean. */
export interface PairedGap extends PairedInterval {
  readonly pairs: readonly (Gap & { readonly zooSeed: number; readonly seed: number })[];
}

/** Gap at equal ACC of each pair, each against its own baselines; mean and intervals as in `pairedInterval()`, zoo seeds as groups. */
export function pairedGap(runs: readonly PairedRuns[]): PairedGap {
  const pairs = runs.map(({ zooSeed, seed, defence, baselines }) => ({ zooSeed, seed, ...gapAtEqualAcc(defence, baselines) }));
  return { pairs, ...pairedInterval(pairs.map(({ gap, zooSeed }) => ({ value: gap, group: zooSeed }))) };
}
