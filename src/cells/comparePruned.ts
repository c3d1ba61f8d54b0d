import { z } from "zod";
import { makeTable, tableToHtml, type Table } from "../figures";
import { mean, pooledStandardError, studentQuantile } from "../selection";
import { defineCell, type Cell } from "./cell";
import type { Finding } from "./finding";
import type { DefendedModel } from "./metaOptimize";

/** What M2 prunes of attacked and of clean task vectors. */
export interface PrunedByAttack {
  readonly table: Table;
  readonly findings: {
    /** Mean share of the squared norm that M2 prunes of attacked task vectors, minus that of clean ones. */
    readonly excess: Finding | null;
  };
}

/** Whether M2 prunes more of the attacked models' task vectors than of the clean ones'. */
export const comparePruned: Cell<[merged: Pick<DefendedModel, "layers" | "attacked">], Record<never, never>, PrunedByAttack> = defineCell({
  name: "comparePruned",
  version: 1,
  summary: "What M2 prunes of attacked and of clean task vectors",
  inputs: ["merged"],
  cache: false,
  engine: false,
  parameters: z.object({}),
  run([{ layers, attacked }]: [merged: Pick<DefendedModel, "layers" | "attacked">]) {
    const tasks = Object.keys(layers[0]?.squares ?? {});
    const shares = tasks.map((task) => {
      let [lost, all] = [0, 0];
      for (const { prunedOfTasks, squares } of layers) {
        lost += (prunedOfTasks[task] ?? 0) * squares[task]!;
        all += squares[task]!;
      }
      return { task, attacked: task in attacked, share: all === 0 ? 0 : lost / all };
    });
    const of = (wanted: boolean): number[] => shares.filter((row) => row.attacked === wanted).map(({ share }) => share);
    return {
      table: makeTable({
        caption: "Share of each task vector's squared norm in the elements that M2 prunes",
        columns: [
          { key: "task", title: "Task" },
          { key: "model", title: "Model" },
          { key: "share", title: "Pruned", format: "percent" },
        ],
        rows: shares.map(({ task, share, ...row }) => ({ task, model: row.attacked ? "backdoored" : "clean", share })),
      }),
      findings: { excess: excessOf(of(true), of(false)) },
    };
  },
  text: ({ table }) => table.toString(),
  display: ({ table }) => ({ "text/html": tableToHtml(table) }),
});

/** Difference of two groups' means, with Student's 95 % interval from the pooled variance over the tasks. */
function excessOf(attacked: readonly number[], clean: readonly number[]): Finding | null {
  if (attacked.length === 0 || clean.length === 0) return null;
  const value = mean(attacked) - mean(clean);
  const count = attacked.length + clean.length;
  const error = pooledStandardError(attacked, clean);
  const half = error === null ? null : studentQuantile(count - 2) * error;
  return { value, interval: half === null ? null : [value - half, value + half], count, over: "tasks", unit: "points" };
}
