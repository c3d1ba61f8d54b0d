/** A sweep as `damlab defend` reports it: each method at its own setting, all points, and what the defence gains at equal ACC. */
import type { SweepPoint, SweptAlpha } from "../cells";
import { allMethods, DEFENCES } from "../defenses";
import { makeTable, type Table } from "../figures";
import { findMethod } from "../merging";
import { dominates, hypervolume, pairedGap, type FrontPoint } from "../selection";

/** What one method reaches; rates are fractions in [0, 1], means over the seeds. */
export interface MethodFindings {
  readonly title: string;
  /** DAM's α; null for other methods. */
  readonly alpha: number | null;
  /** λ where the method has one for everything, else the factor of its final coefficients. */
  readonly scale: number;
  readonly acc: number;
  readonly asrAttacked: number | null;
  readonly asrClean: number | null;
  readonly asrAll: number | null;
  /** ASR of the attacked tasks on the same merge of clean models; null where it was not measured. */
  readonly floor: number | null;
  /** ACC and ASR under its own trigger, by task. */
  readonly tasks: Readonly<Record<string, { readonly acc: number; readonly asr: number | null }>>;
}

/** One model of the plane. */
export type FrontEntry = Pick<SweepPoint, "alpha" | "scale" | "seed" | "acc" | "asrAttacked" | "asrAll"> & {
  /** Name in recipes; DAM before its final stage is `dam_before_final`. */
  readonly method: string;
  /** Whether another model of the plane has no less ACC and no more ASR, and differs. */
  readonly dominated: boolean;
};

/** The document that `damlab defend` prints. */
export interface DefenceDocument {
  readonly methods: Readonly<Record<string, MethodFindings>>;
  readonly front: readonly FrontEntry[];
  /** Of all models of `front` together; reference ACC 0, ASR 1. */
  readonly hypervolume: number;
  /** Of the baselines alone. */
  readonly baselineHypervolume: number | null;
  /** ASR of the baselines' front at DAM's ACC minus DAM's; with one seed there is no interval. */
  readonly gap: { readonly mean: number; readonly interval: readonly [number, number] | null; readonly pairs: number } | null;
  readonly provenance: SweptAlpha["provenance"];
}

/** Name of a point's method, its stage included. */
function nameOf({ method, stage }: SweepPoint): string {
  return stage === "masks" ? `${method}_before_final` : method;
}

/**
 * Reports a sweep.
 * @param alpha The α at which DAM is reported; the sweep has it.
 */
export function reportDefence(sweep: SweptAlpha, alpha: number, zooSeed: number): DefenceDocument {
  const { points, provenance } = sweep;
  const places = points.map(planeOf);
  const known = places.filter((place) => place !== null);
  const front = points.map((point, index): FrontEntry => {
    const { scale, seed, acc, asrAttacked, asrAll } = point;
    const place = places[index]!;
    const dominated = place !== null && known.some((other) => dominates(other, place));
    return { method: nameOf(point), alpha: point.alpha, scale, seed, acc, asrAttacked, asrAll, dominated };
  });
  const baselines = points.filter(({ method }) => !DEFENCES.has(method));
  const inPlane = (chosen: readonly SweepPoint[]): FrontPoint[] => chosen.map(planeOf).filter((place) => place !== null);
  const methods: Record<string, MethodFindings> = {};
  for (const name of new Set(points.map(nameOf))) {
    const own = points.filter((point) => nameOf(point) === name && (point.alpha === null || point.alpha === alpha));
    if (own.length > 0) methods[name] = findings(own);
  }
  return {
    methods,
    front,
    hypervolume: hypervolume(known),
    baselineHypervolume: baselines.length === 0 ? null : hypervolume(inPlane(baselines)),
    gap: gapOf(points, alpha, zooSeed),
    provenance,
  };
}

/** A method at its usual scale (or the largest that was run), averaged over the seeds. */
function findings(points: readonly SweepPoint[]): MethodFindings {
  const { method, title, stage, alpha } = points[0]!;
  const { scaling = 1 } = findMethod(method, allMethods).defaults as { scaling?: number };
  const scales = points.map(({ scale }) => scale);
  const scale = scales.includes(scaling) ? scaling : Math.max(...scales);
  const own = points.filter((point) => point.scale === scale);
  return {
    title: stage === "masks" ? `${title}, before the final stage` : title,
    alpha,
    scale,
    acc: average(own.map(({ acc }) => acc))!,
    asrAttacked: average(own.map(({ asrAttacked }) => asrAttacked)),
    asrClean: average(own.map(({ asrClean }) => asrClean)),
    asrAll: average(own.map(({ asrAll }) => asrAll)),
    floor: average(own.map(({ floor }) => floor?.asrAttacked ?? null)),
    tasks: Object.fromEntries(
      Object.keys(own[0]!.tasks).map((task) => [
        task,
        { acc: average(own.map(({ tasks }) => tasks[task]!.acc))!, asr: average(own.map(({ tasks }) => tasks[task]!.asr)) },
      ]),
    ),
  };
}

/** DAM after its final stage, or purification where DAM was not run, against the baselines of its seed and those that draw no random numbers. */
function gapOf(points: readonly SweepPoint[], alpha: number, zooSeed: number): DefenceDocument["gap"] {
  const defences = points.filter(({ method, stage }) => DEFENCES.has(method) && stage === "final");
  const dam = defences.filter(({ method }) => method === "dam");
  const defended = dam.length > 0 ? dam.filter((point) => point.alpha === alpha) : defences;
  const runs = defended.flatMap((point) => {
    const defence = planeOf(point);
    const baselines = points
      .filter(({ method, seed }) => !DEFENCES.has(method) && (seed === null || seed === point.seed))
      .map(planeOf)
      .filter((place) => place !== null);
    return defence === null || baselines.length === 0 ? [] : [{ zooSeed, seed: point.seed ?? 0, defence, baselines }];
  });
  if (runs.length === 0) return null;
  const { mean, interval } = pairedGap(runs);
  return { mean, interval, pairs: runs.length };
}

function planeOf({ acc, asrAttacked }: SweepPoint): FrontPoint | null {
  return asrAttacked === null ? null : { acc, asr: asrAttacked };
}

/** Plain mean; null where something is missing. */
function average(values: readonly (number | null)[]): number | null {
  if (values.length === 0 || values.includes(null)) return null;
  return values.reduce<number>((sum, value) => sum + value!, 0) / values.length;
}

/** The methods, one row each. */
export function defenceTable({ methods, gap }: DefenceDocument): Table {
  return makeTable({
    columns: [
      { key: "title", title: "Method" },
      { key: "setting", title: "Setting" },
      { key: "acc", title: "ACC", format: "percent", best: "highest" },
      { key: "asrAttacked", title: "ASR attacked", format: "percent", best: "lowest" },
      { key: "asrClean", title: "ASR clean", format: "percent" },
      { key: "asrAll", title: "ASR all", format: "percent" },
      { key: "floor", title: "Floor", format: "percent" },
    ],
    rows: Object.values(methods).map(({ title, alpha, scale, acc, asrAttacked, asrClean, asrAll, floor }) => ({
      title,
      setting: alpha === null ? `scale ${scale}` : `α = ${alpha}`,
      acc,
      asrAttacked,
      asrClean,
      asrAll,
      floor,
    })),
    footnotes: [
      "Scale: λ where a method has one for everything, else the factor of its final coefficients. Floor: ASR of the attacked tasks on the same merge of clean models.",
      gap === null
        ? "No gap at equal ACC: no baseline, or no attacked task."
        : `Gap at equal ACC: DAM has ${points(Math.abs(gap.mean))} points ${gap.mean < 0 ? "more" : "less"} ASR than the baselines' front` +
          (gap.interval === null
            ? " (one seed, so no interval)."
            : `, 95 % interval of the gain ${gap.interval.map(points).join(" to ")}.`),
    ],
  });
}

function points(fraction: number): string {
  return (100 * fraction).toFixed(1);
}
