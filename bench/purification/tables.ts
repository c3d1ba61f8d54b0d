/** @file The tables of the bench, as markdown. */
import { pairedGap } from "../../src/selection";

/** A judged merge; fractions in [0, 1]. */
export interface JudgedPoint {
  readonly method: string;
  readonly scale: number;
  readonly acc: number;
  /** Mean over the attacked tasks, each under its attacker's trigger. */
  readonly asr: number | null;
}

/** One scenario with one seed. */
export interface ScenarioRun {
  readonly group: string;
  readonly title: string;
  readonly seed: number;
  /** Of purification; 0 where it was found in the cache. */
  readonly cpuSeconds: number;
  readonly baselines: readonly JudgedPoint[];
  /** ASR of AdaMerging of the all-clean models under the same triggers. */
  readonly baselineFloor: number | null;
  readonly defended: JudgedPoint;
  /** ASR of the defended all-clean merge under the same triggers. */
  readonly defendedFloor: number | null;
  readonly individual: readonly {
    readonly task: string;
    readonly attacked: boolean;
    readonly capture: number;
    readonly target: number;
    readonly suspect: boolean;
    readonly before: { readonly acc: number; readonly asr: number | null };
    readonly after: { readonly acc: number; readonly asr: number | null };
  }[];
}

/** All tables. */
export function writeTables(runs: readonly ScenarioRun[]): string {
  const groups = [...new Set(runs.map(({ group }) => group))];
  return [
    ...groups.filter((group) => group !== "clean").map((group) => scenarioTable(runs.filter((run) => run.group === group))),
    gapLine(runs.filter(({ group }) => group === "main")),
    inspectionTable(runs),
    cleanTable(runs.filter(({ group }) => group === "clean")),
  ]
    .filter((part) => part !== "")
    .join("\n\n")
    .concat("\n");
}

function scenarioTable(runs: readonly ScenarioRun[]): string {
  const titles = [...new Set(runs.map(({ title }) => title))];
  return table(
    [
      "attack",
      "best baseline's ACC",
      "AdaMerging ACC / ASR",
      "its floor",
      "purified ACC / ASR",
      "own floor",
      "removed of what lies above the floor",
      "suspects named (of attacked; clean)",
    ],
    titles.map((title) => {
      const own = runs.filter((run) => run.title === title);
      const plain = own.map(({ baselines }) => baselines.find(({ method, scale }) => method === "adamerging" && scale === 1)!);
      const named = (attacked: boolean): string => {
        const models = own.flatMap(({ individual }) => individual.filter((model) => model.attacked === attacked));
        return `${models.filter(({ suspect }) => suspect).length} of ${models.length}`;
      };
      return [
        title,
        percent(own.map(({ baselines }) => Math.max(...baselines.map(({ acc }) => acc)))),
        `${percent(plain.map(({ acc }) => acc))} / ${percent(plain.map(({ asr }) => asr!))}`,
        percent(own.map(({ baselineFloor }) => baselineFloor!)),
        `${percent(own.map(({ defended }) => defended.acc))} / ${percent(own.map(({ defended }) => defended.asr!))}`,
        percent(own.map(({ defendedFloor }) => defendedFloor!)),
        percent(own.map((run) => removed(run))),
        `${named(true)}; ${named(false)}`,
      ];
    }),
  );
}

/** Share of the ASR above the floor that is gone: 1 − (defended − own floor) / (AdaMerging − its floor). */
export function removed({ baselines, baselineFloor, defended, defendedFloor }: ScenarioRun): number {
  const plain = baselines.find(({ method, scale }) => method === "adamerging" && scale === 1)!;
  return 1 - (defended.asr! - defendedFloor!) / (plain.asr! - baselineFloor!);
}

function gapLine(runs: readonly ScenarioRun[]): string {
  if (runs.length === 0) return "";
  const gap = pairedGap(
    runs.map(({ title, seed, baselines, defended }) => ({
      zooSeed: Number(title.at(-1)),
      seed,
      defence: { acc: defended.acc, asr: defended.asr! },
      baselines: baselines.map(({ acc, asr }) => ({ acc, asr: asr! })),
    })),
  );
  const interval = gap.interval === null ? "" : ` (95 % interval ${gap.interval.map((value) => (100 * value).toFixed(1)).join(" … ")})`;
  const grouped =
    gap.groupedInterval === null ? "" : `; over zoo seeds ${gap.groupedInterval.map((value) => (100 * value).toFixed(1)).join(" … ")}`;
  return `Gap at equal ACC, main attack: ${(100 * gap.mean).toFixed(1)} points${interval}${grouped}.`;
}

function inspectionTable(runs: readonly ScenarioRun[]): string {
  const models = new Map(runs.flatMap((run) => run.individual.map((model) => [`${run.title} ${run.seed} ${model.task}`, { run, model }])));
  const rows = [...models.values()];
  const kinds = [...new Set(rows.filter(({ model }) => model.attacked).map(({ run }) => run.group))];
  const line = (title: string, own: typeof rows): string[] => {
    const captures = own.map(({ model }) => model.capture).sort((a, b) => a - b);
    const asr = own.flatMap(({ model }) => (model.before.asr === null || model.after.asr === null ? [] : [model]));
    return [
      title,
      String(own.length),
      `${(100 * captures[0]!).toFixed(1)} … ${(100 * captures.at(-1)!).toFixed(1)}`,
      `${own.filter(({ model }) => model.suspect).length}`,
      `${percent(own.map(({ model }) => model.before.acc))} → ${percent(own.map(({ model }) => model.after.acc))}`,
      asr.length === 0 ? "" : `${percent(asr.map(({ before }) => before.asr!))} → ${percent(asr.map(({ after }) => after.asr!))}`,
    ];
  };
  return table(
    ["single models", "runs", "capture", "named suspects", "ACC on its task", "ASR on its task"],
    [
      ...kinds.map((kind) =>
        line(
          `attacked: ${kind}`,
          rows.filter(({ run, model }) => model.attacked && run.group === kind),
        ),
      ),
      line(
        "clean",
        rows.filter(({ model }) => !model.attacked),
      ),
    ],
  );
}

function cleanTable(runs: readonly ScenarioRun[]): string {
  if (runs.length === 0) return "";
  return table(
    ["all-clean merge", "best baseline's ACC", "AdaMerging ACC", "purified ACC", "suspects named"],
    runs.map(({ seed, baselines, defended, individual }) => [
      `seed ${seed}`,
      percent([Math.max(...baselines.map(({ acc }) => acc))]),
      percent([baselines.find(({ method, scale }) => method === "adamerging" && scale === 1)!.acc]),
      percent([defended.acc]),
      `${individual.filter(({ suspect }) => suspect).length} of ${individual.length}`,
    ]),
  );
}

function percent(values: readonly number[]): string {
  return (100 * (values.reduce((sum, value) => sum + value, 0) / values.length)).toFixed(1);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
