import { latentTrigger, type EvaluationReport } from "../evaluation";
import { makeTable, type CellValue, type Table } from "../figures";

/** Reports by the name of their model. */
export type NamedReports = Readonly<
  Record<string, EvaluationReport & { readonly provenance?: { readonly parameters: Readonly<Record<string, unknown>> } }>
>;

/** A rate with its interval, as tables and charts take it. */
interface Estimated {
  readonly value: number;
  readonly interval?: readonly [number, number];
  readonly n?: number;
}

/** Trigger of each attacked task, as the report's parameters say. */
export function attackedIn(report: NamedReports[string]): Readonly<Record<string, string>> {
  return (report.provenance?.parameters["attacked"] ?? {}) as Readonly<Record<string, string>>;
}

/** ACC of a task; null where nothing was counted. */
export function taskAccuracy(report: EvaluationReport, task: string): Estimated | null {
  const { acc, interval, n } = report.tasks[task] ?? { acc: null, interval: null, n: 0 };
  return estimate(acc, interval, n);
}

/** ASR of a task under its own trigger (the attacker's, else its latent one); null where it was not evaluated. */
export function taskAttackSuccess(report: NamedReports[string], task: string): Estimated | null {
  const under = report.tasks[task]?.asr[attackedIn(report)[task] ?? latentTrigger(task)];
  return under === undefined ? null : estimate(under.asr, under.interval, under.n);
}

/**
 * Mean ASR over attacked tasks, each under its attacker's trigger, of a model that may not have been attacked: the floor.
 * @param attacked Trigger of each attacked task.
 * @returns null where no task is attacked or one was not evaluated under its trigger.
 */
export function meanAttackSuccess(report: EvaluationReport, attacked: Readonly<Record<string, string>>): number | null {
  const rates = Object.entries(attacked).map(([task, trigger]) => report.tasks[task]?.asr[trigger]?.asr ?? null);
  return rates.length === 0 || rates.includes(null) ? null : (rates as number[]).reduce((sum, rate) => sum + rate, 0) / rates.length;
}

/**
 * A table of one model by task, or of several models by their averages.
 * @param reports One model gives a row a task; more give a row a model.
 */
export function reportTable(reports: NamedReports): Table {
  const entries = Object.entries(reports);
  return entries.length === 1 ? taskTable(entries[0]![0], entries[0]![1]) : modelTable(reports);
}

function taskTable(name: string, report: NamedReports[string]): Table {
  const attacked = attackedIn(report);
  const rows = Object.keys(report.tasks).map((task): Record<string, CellValue> => ({
    task: task in attacked ? `${task} (attacked)` : task,
    acc: taskAccuracy(report, task),
    asr: taskAttackSuccess(report, task),
    under: report.tasks[task]!.asr[attacked[task] ?? latentTrigger(task)]?.acc ?? null,
    flip: report.tasks[task]!.asr[attacked[task] ?? latentTrigger(task)]?.flip ?? null,
  }));
  const { average } = report;
  const means = (["asrAttacked", "asrClean", "asrAll"] as const).map((key): Record<string, CellValue> => ({
    task: { asrAttacked: "mean, attacked tasks", asrClean: "mean, other tasks", asrAll: "mean, all tasks" }[key],
    acc: key === "asrAll" ? estimate(average.acc, average.interval.acc) : null,
    asr: estimate(average[key], average.interval[key]),
  }));
  return makeTable({
    caption: `${name}: ACC, and ASR of each task under its own trigger, with 95 % intervals`,
    columns: [
      { key: "task", title: "Task" },
      { key: "acc", title: "ACC", format: "interval" },
      { key: "asr", title: "ASR", format: "interval" },
      { key: "under", title: "ACC under trigger", format: "percent" },
      { key: "flip", title: "Flips", format: "percent" },
    ],
    rows: [...rows, ...means.filter((row) => row["asr"] !== null || row["acc"] !== null)],
    footnotes: [
      "ASR counts images whose true class is not the target. Tasks that nobody attacked: a latent trigger, which nobody trained on.",
    ],
  });
}

function modelTable(reports: NamedReports): Table {
  return makeTable({
    caption: "Averages with 95 % intervals",
    columns: [
      { key: "model", title: "Model" },
      { key: "acc", title: "ACC", format: "interval", best: "highest" },
      { key: "asrAttacked", title: "ASR, attacked tasks", format: "interval", best: "lowest" },
      { key: "asrClean", title: "ASR, other tasks", format: "interval", best: "lowest" },
    ],
    rows: Object.entries(reports).map(([model, { average }]) => ({
      model,
      acc: estimate(average.acc, average.interval.acc),
      asrAttacked: estimate(average.asrAttacked, average.interval.asrAttacked),
      asrClean: estimate(average.asrClean, average.interval.asrClean),
    })),
  });
}

/** A number with its interval; null where there is none. */
export function estimate(value: number | null, interval: readonly [number, number] | null, n?: number): Estimated | null {
  if (value === null) return null;
  return { value, ...(interval === null ? {} : { interval }), ...(n === undefined ? {} : { n }) };
}
