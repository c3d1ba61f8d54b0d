import { allMethods, DEFENCES } from "../defenses";
import { findMethod } from "../merging";
import { SWEEP_SCALES } from "./sweepScales";

/** One merge of a sweep, and what is judged of it. */
export interface SweepRun {
  readonly method: string;
  readonly title: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** DAM's α. */
  readonly alpha: number | null;
  /** Null for methods that draw no random numbers. */
  readonly seed: number | null;
  readonly points: readonly { readonly stage: "masks" | "final"; readonly scale: number; readonly floor: boolean }[];
}

/** What of a sweep decides which merges there are. */
interface SweepSetting {
  readonly alphas: readonly number[];
  readonly seeds: readonly number[];
  readonly methods: readonly string[];
  readonly scales: Readonly<Record<string, readonly number[] | undefined>>;
  readonly options: Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>;
  readonly floors: "none" | "default" | "all";
  readonly floorAlphas: readonly number[];
  readonly before: boolean;
}

/** The merges of a sweep, the long ones first. */
export function listRuns(setting: SweepSetting): SweepRun[] {
  const { alphas, seeds, methods, floors, floorAlphas, before } = setting;
  const runs = methods.flatMap((method): SweepRun[] => {
    const row = findMethod(method, allMethods);
    const options = setting.options[method] ?? {};
    const scales = setting.scales[method] ?? SWEEP_SCALES[method] ?? [1];
    const usual = (row.defaults as { scaling?: number }).scaling ?? 1;
    const floorScale = scales.includes(usual) ? usual : scales.at(-1)!;
    const run = (seed: number | null, alpha: number | null): SweepRun => ({
      method,
      title: row.title,
      options: alpha === null ? options : { ...options, alpha },
      alpha,
      seed,
      points: scales.flatMap((scale) =>
        (method === "dam" && before ? (["masks", "final"] as const) : (["final"] as const)).map((stage) => ({
          stage,
          scale,
          floor: floors === "all" || (floors === "default" && scale === floorScale && (alpha === null || floorAlphas.includes(alpha))),
        })),
      ),
    });
    if (row.kind === "data-free") return [run(null, null)];
    return seeds.flatMap((seed) => (method === "dam" ? alphas.map((alpha) => run(seed, alpha)) : [run(seed, null)]));
  });
  const seconds = ({ method, seed }: SweepRun): number => (DEFENCES.has(method) ? 2 : seed === null ? 0 : 1);
  return runs.sort((a, b) => seconds(b) - seconds(a));
}
