/** @file When to stop DAM: by what its user can measure, without labels and without the attacker's trigger. */
import type { DamContext, DamWatch, Look } from "../dam";
import { admit, flipsError, type ChoiceRule } from "./chooseAlpha";
import { measureDefenderView, type ViewOptions } from "./defenderView";

/** When a run of DAM is looked at, and how long it may go on without gain. */
export interface StopRule extends ChoiceRule {
  /** Iterations between two looks; default 25. */
  readonly every?: number;
  /** Looks that may follow the best one before the run ends; default 2. */
  readonly patience?: number;
  /** How much a look takes in. */
  readonly view?: Omit<ViewOptions, "seed" | "signal">;
}

/** Which look to take, and whether the run has gone on long enough without a better one. */
export interface StopChoice {
  /** Index of the look. */
  readonly best: number;
  readonly settled: boolean;
}

/**
 * Chooses among the looks at a run, one after the other, by the guards of `chooseAlpha`: a look is better than the best before it if it keeps
 * what the merge can do, and newly synthesised stickers change fewer classes, by more than one standard error; or if it does and that one does not.
 * @param patience Looks that may follow the best one.
 * @throws {RangeError} if there is no look.
 */
export function chooseStop(looks: readonly Look[], patience = 2, rule: ChoiceRule = {}): StopChoice {
  if (looks.length === 0) throw new RangeError("Cannot choose when to stop: expected at least 1 look, got 0");
  let best = 0;
  for (const [index, look] of looks.entries()) {
    const admitted = admit(looks.slice(0, index + 1), rule);
    if (!admitted.includes(look)) continue;
    if (!admitted.includes(looks[best]!) || look.flips < looks[best]!.flips - flipsError(look)) best = index;
  }
  return { best, settled: looks.length - 1 - best >= patience };
}

/**
 * A watch for `runDam({ ...context, watch })`, which ends the masks' training where its user would, and takes the masks of the best look. With
 * more `steps` than a run needs, no number of iterations has to be known beforehand. All looks show the same stickers' starts.
 */
export function stopWatch(context: Omit<DamContext, "watch">, { every = 25, patience = 2, view = {}, ...rule }: StopRule = {}): DamWatch {
  const { config, pretrained, tasks, seed = 0, signal } = context;
  return {
    every,
    look: (candidate, unmasked) =>
      measureDefenderView({ config, pretrained, candidate, unmasked, tasks }, { ...view, seed, ...(signal && { signal }) }),
    choose: (looks) => chooseStop(looks, patience, rule),
  };
}
