/** @file The judgement as Markdown tables: percent, with percentage points for gaps. */
import type { Sweep, SweepPoint } from "../../src/cells";
import { mean, standardError, type AlphaControl, type ChosenDefence, type DefenceJudgement } from "../../src/selection";

/** What the tables say of the run. */
export interface TableSettings {
  readonly alpha: number;
  readonly split: string;
  readonly seeds: readonly number[];
  readonly attacked: string;
  readonly options: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly limit?: number;
}

/** Whether the bars of the acceptance are reached. */
export interface Verdict {
  /** Mean gap at equal ACC of at least 5 points after the final stage, with the interval above 0, at the development setting. */
  readonly gap: boolean;
  /** Mean ACC at most 1 point below the highest baseline's. */
  readonly acc: boolean;
  /** Whether at least five αs walk along a front, by stage. */
  readonly control: Readonly<Record<string, boolean>>;
}

/** The verdict at the development setting; on gap and ACC after the final stage. */
export function verdictOf({ choices, control }: DefenceJudgement): Verdict {
  const chosen = choices.findLast(({ choice }) => choice === "development")!;
  return {
    gap: chosen.gap.mean >= 0.05 && (chosen.gap.interval?.[0] ?? -1) > 0,
    acc: chosen.accBelowBest >= -0.01,
    control: Object.fromEntries(
      Object.entries(control).map(([stage, { means, nonDominated, separated }]) => [stage, means.length >= 5 && nonDominated && separated]),
    ),
  };
}

/** All tables of one run. */
export function writeTables(
  sweeps: readonly { readonly zooSeed: number; readonly sweep: Sweep }[],
  judgement: DefenceJudgement,
  settings: TableSettings,
): string {
  const { gap, acc, control } = verdictOf(judgement);
  const said = (reached: boolean): string => (reached ? "reached" : "**not reached**");
  const options = Object.entries(settings.options).flatMap(([method, given]) =>
    Object.entries(given).map(([key, value]) => `${method} ${key} ${JSON.stringify(value)}`),
  );
  return [
    `Split ${settings.split}${settings.limit === undefined ? "" : `, ${settings.limit} images a task`}; zoo seeds ${sweeps.map(({ zooSeed }) => zooSeed).join(", ")}; ` +
      `seeds ${settings.seeds.join(", ")}; attacked: ${settings.attacked}; development setting α = ${settings.alpha}` +
      `${options.length === 0 ? "" : `; ${options.join(", ")}`}.`,
    `Gap of 5 points with its interval above 0: ${said(gap)}. ACC within 1 point of the highest baseline's: ${said(acc)}. ` +
      `α control: ${Object.entries(control)
        .map(([stage, reached]) => `${said(reached)} ${STAGES[stage] ?? stage}`)
        .join(", ")}.`,
    choiceTable(judgement.choices),
    alphaTable(judgement),
    ...Object.entries(judgement.control).map(([stage, found]) => controlTable(stage, found)),
    baselineTable(sweeps.flatMap(({ sweep }) => sweep.points)),
    `Hypervolume (reference ACC 0, ASR 1), mean over the pairs: baselines ${judgement.hypervolume.baselines.toFixed(3)}, DAM ${judgement.hypervolume.defence.toFixed(3)}. ` +
      `Individual models: ACC ${percent(mean(sweeps.map(({ sweep }) => sweep.individual.acc)))}, ASR ${percent(averageAsr(sweeps.map(({ sweep }) => sweep.individual.asrAttacked)))}; ` +
      `pretrained: ACC ${percent(mean(sweeps.map(({ sweep }) => sweep.pretrained.acc)))}, ASR ${percent(averageAsr(sweeps.map(({ sweep }) => sweep.pretrained.asrAttacked)))}.`,
    "",
  ].join("\n\n");
}

const STAGES: Readonly<Record<string, string>> = { masks: "before the final stage", final: "after" };

function choiceTable(choices: readonly ChosenDefence[]): string {
  return table(
    ["DAM", "choice of α", "α", ...OUTCOME],
    choices.map((row) => [STAGES[row.stage] ?? row.stage, row.choice, spread(row.alphas), ...outcome(row)]),
  );
}

function alphaTable({ alphas }: DefenceJudgement): string {
  return table(
    ["DAM", "α", ...OUTCOME],
    alphas.map((row) => [STAGES[row.stage] ?? row.stage, String(row.alpha), ...outcome(row)]),
  );
}

const OUTCOME = [
  "ACC",
  "ASR attacked",
  "floor",
  "gap at equal ACC",
  "95 % interval",
  "over zoo seeds",
  "ACC − best baseline",
  "beyond baselines' ACC",
];

/** One value for each title of `OUTCOME`. */
function outcome({ acc, asr, floor, gap, accBelowBest }: ChosenDefence): string[] {
  const beyond = gap.pairs.filter(({ place }) => place === "beyond").length;
  return [
    percent(acc),
    percent(asr),
    percent(floor),
    signed(gap.mean),
    interval(gap.interval),
    interval(gap.groupedInterval),
    signed(accBelowBest),
    `${beyond} of ${gap.pairs.length}`,
  ];
}

/** Whether α walks along a front: at one stage, the means over the runs, and how far neighbours lie apart. */
function controlTable(stage: string, { means, steps }: AlphaControl): string {
  return table(
    [`α control, ${STAGES[stage] ?? stage}`, "ACC", "ASR attacked", "dominated", "ASR step to the next", "pooled standard error"],
    means.map(({ alpha, acc, asr, dominated }, index) => {
      const step = steps[index];
      return [
        String(alpha),
        percent(acc, 2),
        percent(asr),
        dominated ? "yes" : "no",
        step === undefined ? "" : percent(step.difference),
        step === undefined ? "" : percent(step.standardError),
      ];
    }),
  );
}

function baselineTable(points: readonly SweepPoint[]): string {
  const groups = new Map<string, SweepPoint[]>();
  for (const point of points.filter(({ method }) => method !== "dam")) {
    const key = `${point.method} ${point.scale}`;
    groups.set(key, [...(groups.get(key) ?? []), point]);
  }
  return table(
    ["baseline", "scale", "runs", "ACC", "ASR attacked", "floor"],
    [...groups.values()].map((own) => [
      own[0]!.title,
      String(own[0]!.scale),
      String(own.length),
      withError(own.map(({ acc }) => acc)),
      withError(own.flatMap(({ asrAttacked }) => asrAttacked ?? [])),
      percent(averageAsr(own.map(({ floor }) => floor?.asrAttacked ?? null))),
    ]),
  );
}

/** A Markdown table. */
export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(titles), line(titles.map(() => "---")), ...rows.map(line)].join("\n");
}

/** A share in percent; a dash where there is none. */
export function percent(value: number | null, digits = 1): string {
  return value === null ? "–" : (100 * value).toFixed(digits);
}

function signed(value: number): string {
  return `${value > 0 ? "+" : value < 0 ? "−" : ""}${(100 * Math.abs(value)).toFixed(1)}`;
}

function interval(ends: readonly [number, number] | null): string {
  return ends === null ? "–" : `${signed(ends[0])} … ${signed(ends[1])}`;
}

function withError(values: readonly number[]): string {
  return values.length < 2 ? percent(values[0] ?? null) : `${percent(mean(values))} ± ${percent(standardError(values))}`;
}

function averageAsr(values: readonly (number | null)[]): number | null {
  return values.length === 0 || values.includes(null) ? null : mean(values as number[]);
}

/** One value where all are the same, else how often which. */
function spread(values: readonly number[]): string {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const sorted = [...counts].sort(([a], [b]) => a - b);
  return sorted.length === 1 ? String(sorted[0]![0]) : sorted.map(([value, count]) => `${value} (${count}×)`).join(", ");
}
