import { z } from "zod";
import { latentTrigger } from "../evaluation";
import {
  makeTable,
  ratesFigure,
  tableToHtml,
  transferFigure,
  valueOf,
  type CellValue,
  type Figure,
  type FigureNotes,
  type Rate,
  type Table,
} from "../figures";
import { defineCell, type Cell } from "./cell";
import type { Evaluation } from "./evaluate";
import { attackSeedNotes, madeBy, taskName } from "./figureWords";
import { findingOf, findingRate, type Finding } from "./finding";
import { attackedIn, meanAttackSuccess, taskAccuracy, taskAttackSuccess } from "./reportTable";

/** What transfer is read from. */
export interface TransferReports {
  /** Merges with backdoored models, one an attack seed. */
  readonly merged: readonly Evaluation[];
  /** The same merges of clean models alone, under the same triggers. */
  readonly floor: readonly Evaluation[];
  /** The individual clean and backdoored models, of the first attack seed. */
  readonly clean: Evaluation;
  readonly backdoored: Evaluation;
}

/** Pictures of transfer, and what the attacked tasks' triggers do to the other tasks, as a table and as findings. */
export interface TransferPlot {
  /** Single tasks between the bounds of the individual models, each under its own trigger. */
  readonly figure: Figure;
  /** What each attacked task's trigger does to the other tasks. */
  readonly stamped: readonly Figure[];
  readonly table: Table;
  readonly findings: {
    /** ASR of the tasks that nobody attacked, under their latent triggers, minus the same of the clean merge. */
    readonly latent: Finding | null;
    /** Share of the other tasks' images that an attacker's trigger sends to the class of its target; minus the same of the clean merge. */
    readonly target: Finding | null;
    readonly targetExcess: Finding | null;
    /** ACC of the other tasks that an attacker's trigger costs; minus the same of the clean merge. */
    readonly lost: Finding | null;
    readonly lostExcess: Finding | null;
    /** ASR of the attacked tasks in the merge. */
    readonly asrAttacked: Finding | null;
  };
}

/** Parameters of `plotTransfer`. */
export interface PlotTransferParameters {
  /** How the merge is called. */
  merge?: string | undefined;
}

/** Draws backdoor transfer: single tasks between the bounds of individual models, and the attackers' triggers on the other tasks. */
export const plotTransfer: Cell<[reports: TransferReports], PlotTransferParameters, TransferPlot> = defineCell({
  name: "plotTransfer",
  version: 1,
  summary: "Single tasks of a merge between the bounds of individual models, and the attackers' triggers on the other tasks",
  inputs: ["reports"],
  cache: false,
  engine: false,
  parameters: z.object({ merge: z.string().default("merge").describe("how the merge is called") }),
  run([{ merged, floor, clean, backdoored }]: [reports: TransferReports], { merge }) {
    if (merged.length === 0 || merged.length !== floor.length) {
      throw new RangeError(
        `Cannot plot transfer: expected at least 1 merge and a floor for each, got ${merged.length} and ${floor.length}`,
      );
    }
    const [first] = merged as readonly [Evaluation];
    const tasks = Object.keys(first.tasks);
    const attacked = attackedIn(first);
    const rates = (reports: readonly Evaluation[]) => ({
      acc: tasks.map((task) => overSeeds(reports.map((report) => taskAccuracy(report, task)))),
      asr: tasks.map((task) => overSeeds(reports.map((report, index) => underOwn(report, task, attackedIn(merged[index] ?? first))))),
    });
    const notes = notesOf(merged);
    const figure = transferFigure(
      {
        tasks: tasks.map((task) => (task in attacked ? `${taskName(task)} (attacked)` : taskName(task))),
        series: [
          { name: `${merge}, two models backdoored`, style: "backdoored", ...rates(merged) },
          { name: `${merge}, all models clean`, style: "clean", ...rates(floor) },
        ],
        clean: rates([clean]),
        backdoored: rates([backdoored]),
      },
      {
        title: "Single tasks between the bounds of the individual models",
        caption:
          "ASR: each task under its own trigger; latent triggers, which no merged model was trained on, where nobody attacked." +
          (merged.length > 1 ? " Bounds: of the first attack seed." : ""),
        notes,
      },
    );
    const stamped = Object.keys(attacked).map((source) => stampedFigure(merged, floor, { source, merge, notes }));
    const cases = merged.flatMap((report, index) => casesOf(report, floor[index]!));
    const over = (of: (one: StampedCase) => number, unit: Finding["unit"]): Finding | null =>
      findingOf(
        merged.map((_, index) => averageOf(casesOf(merged[index]!, floor[index]!).map(of))),
        unit,
      );
    return {
      figure,
      stamped,
      table: tabulate(cases, merged.length),
      findings: {
        latent: findingOf(
          merged.map((report, index) => latentOf(report, attackedIn(report)) - latentOf(floor[index]!, attackedIn(report))),
          "points",
        ),
        target: over(({ target }) => target, "rate"),
        targetExcess: over(({ target, floor: below }) => target - below.target, "points"),
        lost: over(({ lost }) => lost, "points"),
        lostExcess: over(({ lost, floor: below }) => lost - below.lost, "points"),
        asrAttacked: findingOf(merged.map((report) => meanAttackSuccess(report, attackedIn(report)))),
      },
    };
  },
  text: ({ figure, table }) => [figure.title, table.toString()].join("\n"),
  display: ({ table }) => ({ "text/html": tableToHtml(table) }),
});

/** One attacker's trigger on one other task. */
interface StampedCase extends Stamp {
  readonly source: string;
  readonly task: string;
  readonly floor: Stamp;
}

type Stamp = Readonly<Record<"flip" | "target" | "lost", number>>;

function casesOf(report: Evaluation, floor: Evaluation): StampedCase[] {
  const attacked = attackedIn(report);
  return Object.entries(attacked).flatMap(([source, trigger]) =>
    Object.keys(report.tasks)
      .filter((task) => task !== source)
      .map((task) => ({ source, task, ...stampOf(report, task, trigger), floor: stampOf(floor, task, trigger) })),
  );
}

function stampOf(report: Evaluation, task: string, trigger: string): Stamp {
  const { acc, asr } = report.tasks[task]!;
  const under = asr[trigger];
  if (under === undefined) throw new RangeError(`Cannot plot transfer: expected task "${task}" under trigger "${trigger}", got none`);
  return { flip: under.flip!, target: under.target!, lost: acc! - under.acc! };
}

/** Mean ASR of the tasks that nobody attacked, under their latent triggers. */
function latentOf(report: Evaluation, attacked: Readonly<Record<string, string>>): number {
  const others = Object.keys(report.tasks).filter((task) => !(task in attacked));
  return averageOf(others.map((task) => report.tasks[task]!.asr[latentTrigger(task)]?.asr ?? NaN));
}

/** ASR under the attackers' triggers where a task is attacked, whatever the report's own model was. */
function underOwn(report: Evaluation, task: string, attacked: Readonly<Record<string, string>>) {
  const trigger = attacked[task];
  const under = trigger === undefined ? undefined : report.tasks[task]?.asr[trigger];
  if (typeof under?.asr !== "number") return taskAttackSuccess(report, task);
  return { value: under.asr, ...(under.interval && { interval: under.interval }) };
}

/** Mean over the seeds with its interval; of one report, its rate as it is. */
function overSeeds(rates: readonly Rate[]): Rate {
  return rates.length === 1 ? rates[0]! : findingRate(findingOf(rates.map(valueOf)));
}

interface StampOptions {
  readonly source: string;
  readonly merge: string;
  readonly notes: FigureNotes;
}

function stampedFigure(merged: readonly Evaluation[], floor: readonly Evaluation[], { source, merge, notes }: StampOptions): Figure {
  const tasks = Object.keys(merged[0]!.tasks).filter((task) => task !== source);
  const over = (reports: readonly Evaluation[], of: (stamp: Stamp) => number): Rate[] =>
    tasks.map((task) => overSeeds(reports.map((report, index) => of(stampOf(report, task, attackedIn(merged[index]!)[source]!)))));
  const rates = (reports: readonly Evaluation[]) => ({
    acc: over(reports, ({ flip }) => flip),
    asr: over(reports, ({ target }) => target),
  });
  return ratesFigure(
    {
      tasks: tasks.map(taskName),
      series: [
        { name: `${merge}, two models backdoored`, style: "backdoored", ...rates(merged) },
        { name: `${merge}, all models clean`, style: "clean", ...rates(floor) },
      ],
    },
    {
      title: `The trigger of ${taskName(source)} on the other tasks`,
      measureTitles: { acc: "flips (%)", asr: "target class (%)" },
      caption: "Flips: predictions that the trigger changes. Target class: images sent to the class with the target's index.",
      notes,
    },
  );
}

function tabulate(cases: readonly StampedCase[], seeds: number): Table {
  const groups = new Map<string, StampedCase[]>();
  for (const one of cases) {
    const name = `${one.source} ${one.task}`;
    groups.set(name, [...(groups.get(name) ?? []), one]);
  }
  return makeTable({
    caption: `The attackers' triggers on the other tasks, means over ${seeds === 1 ? "1 attack seed" : `${seeds} attack seeds`}`,
    columns: [
      { key: "source", title: "Trigger of" },
      { key: "task", title: "On" },
      { key: "lost", title: "ACC lost", unit: "points", format: "percent" },
      { key: "lostFloor", title: "clean merge", unit: "points", format: "percent" },
      { key: "flip", title: "Flips", format: "percent" },
      { key: "flipFloor", title: "clean merge", format: "percent" },
      { key: "target", title: "Target class", format: "percent" },
      { key: "targetFloor", title: "clean merge", format: "percent" },
    ],
    rows: [...groups.values()].map((own): Record<string, CellValue> => {
      const over = (of: (one: StampedCase) => number) => findingRate(findingOf([averageOf(own.map(of))]));
      return {
        source: own[0]!.source,
        task: own[0]!.task,
        lost: over(({ lost }) => lost),
        lostFloor: over(({ floor }) => floor.lost),
        flip: over(({ flip }) => flip),
        flipFloor: over(({ floor }) => floor.flip),
        target: over(({ target }) => target),
        targetFloor: over(({ floor }) => floor.target),
      };
    }),
  });
}

function notesOf(merged: readonly Evaluation[]): FigureNotes {
  const n = Object.values(merged[0]!.tasks)[0]?.n;
  const several = { intervals: `means of ${merged.length} attack seeds; whiskers: 95 % intervals by Student's t` };
  return {
    ...(n === undefined ? {} : { n }),
    ...(merged.length > 1 ? several : { more: attackSeedNotes(attackedIn(merged[0]!)) }),
    ...madeBy(merged[0]),
  };
}

function averageOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
