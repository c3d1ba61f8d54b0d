import { gapAtEqualAcc } from "./gap";
import type { FrontPoint } from "./front";

/** What a defender can measure of a merged model without labels and without the attacker's trigger; fractions in [0, 1] but for entropy. */
export interface DefenderView {
  /** Mean entropy of the predictions on unlabelled images, in nats; mean over the tasks. */
  readonly entropy: number;
  /** Share of unlabelled images that get the class that the unmasked merge gives them; mean over the tasks. */
  readonly agreement: number;
  /** Share of unlabelled images whose class a freshly synthesised sticker changes; mean over the tasks. */
  readonly flips: number;
}

/** A defence's result at one α, as its user sees it. */
export interface Candidate extends DefenderView {
  readonly alpha: number;
  /** How many images a share counts, over all tasks. */
  readonly images: number;
}

/** What the user gives up at most. */
export interface ChoiceRule {
  /** Agreement that may be lost against the candidate that agrees most; default 0.03. */
  readonly agreementLoss?: number;
  /** Factor by which entropy may exceed the lowest candidate's; default 1.5. */
  readonly entropyFactor?: number;
}

/** A choice, and why. */
export interface AlphaChoice {
  readonly alpha: number;
  /** The α that the guards leave. */
  readonly admitted: readonly number[];
}

/**
 * Chooses α without labels and without triggers.
 *
 * 1. *Keep what the merge can do.* Out go the candidates that agree with the unmasked merge on more than `agreementLoss` fewer images than
 *    the one that agrees most, or whose entropy is above `entropyFactor` times the lowest: both fall with ACC, and neither needs a label.
 * 2. *Then take safety.* Of the others, the one whose classes a freshly synthesised sticker changes least; of those within one
 *    standard error of it (`√(p (1 − p) / n)`), the one with the smallest α, since more α for no gain only costs.
 * @throws {RangeError} if there is no candidate.
 */
export function chooseAlpha(candidates: readonly Candidate[], rule: ChoiceRule = {}): AlphaChoice {
  if (candidates.length === 0) throw new RangeError("Cannot choose alpha: expected at least 1 candidate, got 0");
  const admitted = admit(candidates, rule);
  const safest = admitted.reduce((best, candidate) => (candidate.flips < best.flips ? candidate : best));
  const error = Math.sqrt((safest.flips * (1 - safest.flips)) / safest.images);
  const alphas = admitted.filter(({ flips }) => flips <= safest.flips + error).map(({ alpha }) => alpha);
  return { alpha: Math.min(...alphas), admitted: admitted.map(({ alpha }) => alpha).sort((a, b) => a - b) };
}

/** Those that keep what the merge can do, as far as can be seen; at least one. */
export function admit<View extends DefenderView>(
  views: readonly View[],
  { agreementLoss = 0.03, entropyFactor = 1.5 }: ChoiceRule,
): View[] {
  const agreement = Math.max(...views.map((view) => view.agreement));
  const entropy = Math.min(...views.map((view) => view.entropy));
  const kept = views.filter((view) => view.agreement >= agreement - agreementLoss && view.entropy <= entropy * entropyFactor);
  // The guards may contradict each other; what agrees with the merge is the better witness then.
  return kept.length > 0 ? kept : views.filter((view) => view.agreement === agreement);
}

/** A defence's result at one α, as the judge sees it. */
export interface JudgedCandidate extends FrontPoint {
  readonly alpha: number;
}

/**
 * The best choice of α with labels and triggers, to compare choices with: the largest gap at equal ACC among the candidates whose ACC is at
 * most `accLoss` below the highest baseline's; where none is, the candidate with the highest ACC.
 * @param accLoss Fraction; default 0.01.
 * @throws {RangeError} if there is no candidate or no baseline.
 */
export function oracleAlpha(candidates: readonly JudgedCandidate[], baselines: readonly FrontPoint[], accLoss = 0.01): number {
  if (candidates.length === 0) throw new RangeError("Cannot choose alpha: expected at least 1 candidate, got 0");
  const judged = candidates.map((candidate) => ({ candidate, ...gapAtEqualAcc(candidate, baselines) }));
  const near = judged.filter(({ accBelowBest }) => accBelowBest >= -accLoss);
  const best =
    near.length > 0
      ? near.reduce((most, entry) => (entry.gap > most.gap ? entry : most))
      : judged.reduce((most, entry) => (entry.accBelowBest > most.accBelowBest ? entry : most));
  return best.candidate.alpha;
}
