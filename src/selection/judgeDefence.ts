/** @file The judgement of a defence over zoo seeds × seeds: gap at equal ACC by choice of α, before and after its final stage. */
import { checkAlphaControl, type AlphaControl } from "./alphaControl";
import { chooseAlpha, oracleAlpha, type ChoiceRule, type DefenderView } from "./chooseAlpha";
import type { FrontPoint } from "./front";
import { pairedGap, type PairedGap, type PairedRuns } from "./gap";
import { hypervolume } from "./hypervolume";
import { mean } from "./pairedInterval";

/** One judged model; `asr` is that of the attacked tasks. */
export interface JudgedPoint extends FrontPoint {
  readonly zooSeed: number;
  readonly method: string;
  /** Of the defence; null for baselines. */
  readonly alpha: number | null;
  readonly scale: number;
  /** Null for methods that draw no random numbers: they belong to every seed. */
  readonly seed: number | null;
  readonly stage: string;
  /** ASR of the same run on the all-clean merge; null where it was not measured. */
  readonly floor: number | null;
  /** What the user can measure; null where nobody did. */
  readonly view: (DefenderView & { readonly images: number }) | null;
}

/** How α is chosen: fixed beforehand on development data, by the user without labels and triggers, or with both. */
export type Choice = "development" | "label-free" | "oracle";

/** A defence under one choice of α at one stage. */
export interface ChosenDefence {
  readonly choice: Choice;
  readonly stage: string;
  /** By pair, in the order of `gap.pairs`. */
  readonly alphas: readonly number[];
  readonly acc: number;
  readonly asr: number;
  /** Mean over the pairs; null unless all were measured. */
  readonly floor: number | null;
  readonly gap: PairedGap;
  /** Mean over the pairs of the defence's ACC minus its highest baseline's. */
  readonly accBelowBest: number;
}

/** The judgement of a defence. */
export interface DefenceJudgement {
  /** What was found for each choice that can be made, stage by stage. */
  readonly choices: readonly ChosenDefence[];
  /** The same for each fixed α. */
  readonly alphas: readonly (ChosenDefence & { readonly alpha: number })[];
  /** By stage: whether α walks along a front. */
  readonly control: Readonly<Record<string, AlphaControl>>;
  /** Mean over the pairs: of the baselines' points, and of the defence's final ones. */
  readonly hypervolume: { readonly baselines: number; readonly defence: number };
}

/** What is judged. */
export interface JudgeSettings {
  /** The method that is the defence; all others are baselines. */
  readonly defence: string;
  /** α of the development setting. */
  readonly alpha: number;
  readonly rule?: ChoiceRule;
}

/**
 * Judges a defence against the baselines' fronts, each pair of zoo seed and seed by itself.
 * @throws {RangeError} if a pair has no baseline, or the defence lacks α's of the development setting.
 */
export function judgeDefence(points: readonly JudgedPoint[], { defence, alpha, rule = {} }: JudgeSettings): DefenceJudgement {
  const runs = points.filter(({ method }) => method === defence);
  const pairs = pairsOf(points, defence);
  const stages = [...new Set(runs.map(({ stage }) => stage))];
  const known = [...new Set(runs.map((point) => point.alpha!))].sort((a, b) => a - b);
  if (!known.includes(alpha)) {
    throw new RangeError(`Cannot judge "${defence}" at alpha ${alpha}: expected one of ${known.join(", ")}`);
  }
  const at = (stage: string, choice: Choice, choose: (pair: Pair) => number): ChosenDefence => {
    const chosen = pairs.map((pair) => {
      const wanted = choose(pair);
      const found = pair.defence.find((point) => point.stage === stage && point.alpha === wanted);
      if (found === undefined) {
        throw new RangeError(
          `Cannot judge "${defence}" at alpha ${wanted}: expected a run with zoo seed ${pair.zooSeed} and seed ${pair.seed}`,
        );
      }
      return { ...pair, defence: found };
    });
    const gap = pairedGap(chosen);
    const floors = chosen.map((pair) => pair.defence.floor);
    return {
      choice,
      stage,
      alphas: chosen.map((pair) => pair.defence.alpha!),
      acc: mean(chosen.map((pair) => pair.defence.acc)),
      asr: mean(chosen.map((pair) => pair.defence.asr)),
      floor: floors.includes(null) ? null : mean(floors as number[]),
      gap,
      accBelowBest: mean(gap.pairs.map(({ accBelowBest }) => accBelowBest)),
    };
  };
  const labelFree = new Map(pairs.map((pair) => [pair, chooseUnseen(pair, rule)]));
  const canChoose = [...labelFree.values()].every((chosen) => chosen !== null);
  const final = (pair: Pair): Pair["defence"] => pair.defence.filter(({ stage }) => stage === stages.at(-1));
  return {
    choices: stages.flatMap((stage) => [
      at(stage, "development", () => alpha),
      ...(canChoose ? [at(stage, "label-free", (pair) => labelFree.get(pair)!)] : []),
      at(stage, "oracle", (pair) => {
        const candidates = pair.defence.filter((point) => point.stage === stage);
        return oracleAlpha(
          candidates.map((point) => ({ ...point, alpha: point.alpha! })),
          pair.baselines,
        );
      }),
    ]),
    alphas: stages.flatMap((stage) => known.map((value) => ({ alpha: value, ...at(stage, "development", () => value) }))),
    control: Object.fromEntries(
      stages.map((stage) => [
        stage,
        checkAlphaControl(
          known.map((value) => ({ alpha: value, runs: runs.filter((point) => point.stage === stage && point.alpha === value) })),
        ),
      ]),
    ),
    hypervolume: {
      baselines: mean(pairs.map(({ baselines }) => hypervolume(baselines))),
      defence: mean(pairs.map((pair) => hypervolume(final(pair)))),
    },
  };
}

/** A pair with all of the defence's points. */
interface Pair extends Omit<PairedRuns, "defence"> {
  readonly defence: readonly JudgedPoint[];
}

function pairsOf(points: readonly JudgedPoint[], defence: string): Pair[] {
  const runs = points.filter(({ method }) => method === defence);
  const keys = new Map(runs.map(({ zooSeed, seed }) => [`${zooSeed} ${seed}`, { zooSeed, seed: seed! }]));
  const sorted = [...keys.values()].sort((a, b) => a.zooSeed - b.zooSeed || a.seed - b.seed);
  if (sorted.length === 0) throw new RangeError(`Cannot judge "${defence}": expected at least 1 of its runs, got 0`);
  return sorted.map(({ zooSeed, seed }) => {
    const belongs = (point: JudgedPoint): boolean => point.zooSeed === zooSeed && (point.seed === null || point.seed === seed);
    const own = points.filter(belongs);
    const [mine, baselines] = [own.filter(({ method }) => method === defence), own.filter(({ method }) => method !== defence)];
    if (baselines.length === 0) {
      throw new RangeError(`Cannot judge "${defence}": expected a baseline with zoo seed ${zooSeed} and seed ${seed}, got none`);
    }
    return { zooSeed, seed, defence: mine, baselines };
  });
}

function chooseUnseen({ defence }: Pair, rule: ChoiceRule): number | null {
  const viewed = defence.flatMap(({ alpha, view }) => (view === null ? [] : [{ ...view, alpha: alpha! }]));
  return viewed.length === 0 ? null : chooseAlpha(viewed, rule).alpha;
}
