/** @file When to stop DAM: by what its user can measure, without labels and without the attacker's trigger. */
import type { DamContext, DamWatch, Look } from "../dam";
import { admit, type ChoiceRule } from "./chooseAlpha";
import { measureDefenderView, type ViewOptions } from "./defenderView";

/** Iterations between two looks, and looks in a row that may be worse. */
export const STOP_DEFAULTS = { every: 25, patience: 2 } as const;

/** When a run of DAM is looked at, and what ends it. */
export interface StopRule extends StopGuards {
  /** Iterations between two looks; see `STOP_DEFAULTS`. */
  readonly every?: number;
  /** Looks in a row that may be worse; see `STOP_DEFAULTS`. */
  readonly patience?: number;
  /** How much a look takes in. */
  readonly view?: Omit<ViewOptions, "seed" | "signal">;
}

/** What makes a look worse than those before it, beside what `ChoiceRule` forbids. */
export interface StopGuards extends ChoiceRule {
  /** By how much the share of flipped classes may exceed the lowest so far; default 0.07: each look's stickers are others, and find more or less. */
  readonly flipsGain?: number;
}

/** Which look to take, and whether the run has gone on long enough without a better one. */
export interface StopChoice {
  /** Index of the look. */
  readonly best: number;
  readonly settled: boolean;
}

/**
 * Chooses among the looks at a run, one after the other: the newest that is not worse than those before it. Training lowers what stickers can do
 * for as long as it goes on; so a look is worse only if it has lost the unmasked merge's classes or its certainty (the guards of `chooseAlpha`), or
 * if newly synthesised stickers change clearly more classes.
 * @param patience Looks in a row that may be worse.
 * @throws {RangeError} if there is no look.
 */
export function chooseStop(
  looks: readonly Look[],
  patience: number = STOP_DEFAULTS.patience,
  { flipsGain = 0.07, ...rule }: StopGuards = {},
): StopChoice {
  if (looks.length === 0) throw new RangeError("Cannot choose when to stop: expected at least 1 look, got 0");
  let best = 0;
  let lowest = Infinity;
  for (const [index, look] of looks.entries()) {
    lowest = Math.min(lowest, look.flips);
    if (admit(looks.slice(0, index + 1), rule).includes(look) && look.flips <= lowest + flipsGain) best = index;
  }
  return { best, settled: looks.length - 1 - best >= patience };
}

/**
 * A watch for `runDam({ ...context, watch })`, which ends the masks' training where its user would, and takes the masks of the best look. With
 * more `steps` than a run needs, no number of iterations has to be known beforehand. All looks show the same stickers' starts.
 */
export function stopWatch(
  context: Omit<DamContext, "watch">,
  { every = STOP_DEFAULTS.every, patience = STOP_DEFAULTS.patience, view = {}, ...rule }: StopRule = {},
): DamWatch {
  const { config, pretrained, tasks, seed = 0, signal } = context;
  return {
    every,
    look: (candidate, unmasked) =>
      measureDefenderView({ config, pretrained, candidate, unmasked, tasks }, { ...view, seed, ...(signal && { signal }) }),
    choose: (looks) => chooseStop(looks, patience, rule),
  };
}
