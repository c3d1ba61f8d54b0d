import { z } from "zod";
import { makeTable, ratesFigure, type Figure, type Table } from "../figures";
import { defineCell, type Cell } from "./cell";
import { attackSeedNotes, madeBy, taskName } from "./figureWords";
import type { Evaluation } from "./evaluate";
import { findingOf, type Finding } from "./finding";
import { attackedIn, estimate, taskAccuracy } from "./reportTable";

/** The individual models of the same tasks, clean and backdoored, under the same triggers. */
export interface IndividualReports {
  readonly clean: Evaluation;
  readonly backdoored: Evaluation;
}

/** A picture of the individual models by task, the numbers as a table, and as findings over the tasks. */
export interface ComparedIndividuals {
  readonly figure: Figure;
  readonly table: Table;
  readonly findings: {
    /** ACC of the clean models minus that of the backdoored ones. */
    readonly accCost: Finding | null;
    /** ASR of the backdoored models, and of the clean ones under the same triggers. */
    readonly asrBackdoored: Finding | null;
    readonly asrClean: Finding | null;
  };
}

/** Parameters of `compareIndividuals`. */
export interface CompareIndividualsParameters {
  title?: string | undefined;
}

/** Draws ACC and ASR of individual models by task, clean beside backdoored, each attacked task under its attacker's trigger. */
export const compareIndividuals: Cell<[reports: IndividualReports], CompareIndividualsParameters, ComparedIndividuals> = defineCell({
  name: "compareIndividuals",
  version: 1,
  summary: "ACC and ASR of individual models by task, clean beside backdoored",
  inputs: ["reports"],
  cache: false,
  engine: false,
  parameters: z.object({ title: z.string().default("").describe("one line above the picture") }),
  run([{ clean, backdoored }]: [reports: IndividualReports], { title }) {
    const attacked = attackedIn(backdoored);
    const tasks = Object.keys(attacked);
    if (tasks.length === 0) throw new RangeError("Cannot compare individual models: expected at least 1 attacked task, got 0");
    const under = (report: Evaluation, task: string) => {
      const { asr = null, interval = null } = report.tasks[task]?.asr[attacked[task]!] ?? {};
      return estimate(asr, interval);
    };
    const rates = (report: Evaluation) => ({
      acc: tasks.map((task) => taskAccuracy(report, task)),
      asr: tasks.map((task) => under(report, task)),
    });
    const [before, after] = [rates(clean), rates(backdoored)];
    const n = clean.tasks[tasks[0]!]?.n;
    const figure = ratesFigure(
      {
        tasks: tasks.map(taskName),
        series: [
          { name: "clean model", style: "clean", ...before },
          { name: "backdoored model", style: "backdoored", ...after },
        ],
      },
      {
        title,
        caption: "ASR: both models of a task under the backdoored one's trigger, over images whose true class is not the target.",
        notes: { ...(n === undefined ? {} : { n }), more: attackSeedNotes(attacked), ...madeBy(backdoored) },
      },
    );
    const table = makeTable({
      columns: [
        { key: "task", title: "Task" },
        { key: "accClean", title: "ACC, clean", format: "interval" },
        { key: "accBackdoored", title: "ACC, backdoored", format: "interval" },
        { key: "asrClean", title: "ASR, clean", format: "interval" },
        { key: "asrBackdoored", title: "ASR, backdoored", format: "interval" },
      ],
      rows: tasks.map((task, index) => ({
        task,
        accClean: before.acc[index] ?? null,
        accBackdoored: after.acc[index] ?? null,
        asrClean: before.asr[index] ?? null,
        asrBackdoored: after.asr[index] ?? null,
      })),
    });
    const costs = tasks.map((_, index) => difference(before.acc[index]?.value, after.acc[index]?.value));
    return {
      figure,
      table,
      findings: {
        accCost: findingOf(costs, "points", "tasks"),
        asrBackdoored: findingOf(
          after.asr.map((rate) => rate?.value),
          "rate",
          "tasks",
        ),
        asrClean: findingOf(
          before.asr.map((rate) => rate?.value),
          "rate",
          "tasks",
        ),
      },
    };
  },
  text: ({ figure, table }) => [figure.title, table.toString()].filter(Boolean).join("\n"),
  display: ({ figure }) => figure.toMime(),
});

function difference(first: number | undefined, second: number | undefined): number | null {
  return first === undefined || second === undefined ? null : first - second;
}
