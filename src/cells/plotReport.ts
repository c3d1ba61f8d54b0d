import { z } from "zod";
import type { EvaluationReport } from "../evaluation";
import { familyOf, methodsFigure, ratesFigure, type Averages, type Figure, type Table } from "../figures";
import { defineCell, type Cell } from "./cell";
import { attackSeedNotes, madeBy, taskName } from "./figureWords";
import type { Evaluation } from "./evaluate";
import { attackedIn, estimate, meanAttackSuccess, reportTable, taskAccuracy, taskAttackSuccess } from "./reportTable";

/** A report beside its floor, where that was measured: the same method's merge of clean models. */
export interface ReportWithFloor {
  readonly report: Evaluation;
  readonly floor?: Evaluation | undefined;
}

/** One report, several, or several by the name that they shall have in the picture. */
export type PlottedReports =
  Evaluation | readonly (Evaluation | ReportWithFloor)[] | Readonly<Record<string, Evaluation | ReportWithFloor>>;

/** Parameters of `plotReport`. */
export interface PlotReportParameters {
  /** One line above the picture. */
  title?: string | undefined;
  /** `task`: bars by task; `average`: bars by model; default: `task` for one report. */
  by?: "task" | "average" | undefined;
}

/** A picture of reports, and the numbers as a table. */
export interface ReportPlot {
  readonly figure: Figure;
  readonly table: Table;
}

/** Draws ACC and ASR of one or more evaluated models. */
export const plotReport: Cell<[reports: PlottedReports], PlotReportParameters, ReportPlot> = defineCell({
  name: "plotReport",
  version: 1,
  summary: "Draws ACC and ASR of one or more evaluated models",
  inputs: ["reports"],
  parameters: z.object({
    title: z.string().default("").describe("one line above the picture"),
    by: z.enum(["task", "average"]).optional().describe("bars by task or by model; default: by task for one report"),
  }),
  cache: false,
  engine: false,
  resolve: ([reports]: [reports: PlottedReports], parameters) => ({
    ...parameters,
    by: parameters.by ?? (nameReports(reports).length === 1 ? "task" : "average"),
  }),
  run([reports], { title, by }) {
    const named = nameReports(reports);
    const [first] = named;
    if (first === undefined) throw new RangeError("Cannot plot reports: expected at least 1, got 0");
    const { tasks } = first.report;
    const n = tasks[Object.keys(tasks)[0]!]?.n;
    const options = {
      title,
      notes: {
        ...(n === undefined ? {} : { n }),
        more: ["one run each", ...attackSeedNotes(attackedIn(first.report))],
        ...madeBy(first.report),
      },
    };
    const figure = by === "task" ? plotTasks(named, options) : plotAverages(named, options);
    return { figure, table: reportTable(Object.fromEntries(named.map(({ name, report }) => [name, report]))) };
  },
  text: ({ figure, table }) => [figure.title, table.toString()].filter(Boolean).join("\n"),
  display: ({ figure }) => figure.toMime(),
});

interface NamedReport {
  readonly name: string;
  readonly report: Evaluation;
  readonly floor?: Evaluation;
}

type Options = Parameters<typeof methodsFigure>[1];

function plotTasks(named: readonly NamedReport[], options: Options): Figure {
  const tasks = Object.keys(named[0]!.report.tasks);
  const series = named.map(({ name, report }) => ({
    name,
    style: familyOf(name),
    acc: tasks.map((task) => taskAccuracy(report, task)),
    asr: tasks.map((task) => taskAttackSuccess(report, task)),
  }));
  return ratesFigure(
    { tasks: tasks.map(taskName), series },
    { ...options, caption: "ASR: each task under its own trigger, over images whose true class is not the target." },
  );
}

function plotAverages(named: readonly NamedReport[], options: Options): Figure {
  const rows = named.map(({ name, report, floor }) => ({
    name,
    averages: averagesOf(report),
    // The floor of the attacked tasks' ASR is the ASR of the same tasks under the same triggers.
    ...(floor === undefined ? {} : { floor: { acc: floor.average.acc, asrAttacked: meanAttackSuccess(floor, attackedIn(report)) } }),
  }));
  return methodsFigure(rows, options);
}

function averagesOf({ average }: EvaluationReport): Averages {
  const entries = (["acc", "asrAttacked", "asrClean"] as const).map((key) => [key, estimate(average[key], average.interval[key])] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== null));
}

function nameReports(reports: PlottedReports): NamedReport[] {
  const isReport = (value: object): value is Evaluation => "tasks" in value && "average" in value;
  const entries: [string | undefined, Evaluation | ReportWithFloor][] = isReport(reports)
    ? [[undefined, reports]]
    : Array.isArray(reports)
      ? (reports as readonly (Evaluation | ReportWithFloor)[]).map((report) => [undefined, report])
      : Object.entries(reports as Readonly<Record<string, Evaluation | ReportWithFloor>>);
  const names = new Map<string, number>();
  return entries.map(([given, entry], index) => {
    const { report, floor }: ReportWithFloor = isReport(entry) ? { report: entry } : entry;
    const name = given ?? report.title ?? `Model ${index + 1}`;
    const count = (names.get(name) ?? 0) + 1;
    names.set(name, count);
    return { name: count === 1 ? name : `${name} (${count})`, report, ...(floor === undefined ? {} : { floor }) };
  });
}
