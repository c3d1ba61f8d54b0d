import { z } from "zod";
import { makeTable, tableToHtml, tableToText, type Table } from "../figures";
import { defineCell, type Cell } from "./cell";
import { evaluate } from "./evaluate";
import { mergeModels } from "./mergeModels";
import type { Suite } from "./suite";
import type { TaskVectors } from "./taskVectors";

/** Parameters of `chooseScaling`. */
export interface ChooseScalingParameters {
  /** Default `task_arithmetic`. */
  method?: "task_arithmetic" | "ties" | undefined;
  /** λ's that are tried. */
  scalings?: number[] | undefined;
  /** At most so many validation images a task. */
  limit?: number | undefined;
}

/** The λ of the best ACC on validation images, and all that were tried. */
export interface ChosenScaling {
  readonly scaling: number;
  readonly table: Table;
}

/** Chooses λ of a data-free method by ACC on validation images; triggers play no part. */
export const chooseScaling: Cell<[vectors: TaskVectors, suite: Suite], ChooseScalingParameters, ChosenScaling> = defineCell({
  name: "chooseScaling",
  version: 1,
  summary: "The λ of the best ACC on validation images",
  inputs: ["vectors", "suite"],
  cache: false,
  parameters: z.object({
    method: z.enum(["task_arithmetic", "ties"]).default("task_arithmetic").describe("whose λ"),
    scalings: z.array(z.number()).min(1).default([0.1, 0.15, 0.2, 0.25, 0.3, 0.4]).describe("λ's that are tried"),
    limit: z.number().int().min(1).optional().describe("at most so many validation images a task; default: all"),
  }),
  async run([vectors, suite]: [vectors: TaskVectors, suite: Suite], { method, scalings, limit }, { settings, signal }) {
    const tried: { scaling: number; acc: number }[] = [];
    for (const scaling of scalings) {
      signal.throwIfAborted();
      const merged = await mergeModels.with(settings)(vectors, { method, scaling });
      const { average } = await evaluate.with(settings)(merged, suite, { split: "validation", triggers: [], limit });
      tried.push({ scaling, acc: average.acc! });
    }
    const { scaling } = tried.reduce((best, point) => (point.acc > best.acc ? point : best));
    const table = makeTable({
      caption: `ACC on validation images by λ; λ = ${scaling} is taken`,
      columns: [
        { key: "scaling", title: "λ" },
        { key: "acc", title: "ACC", format: "percent", best: "highest" },
      ],
      rows: tried.map((point) => ({ ...point, scaling: String(point.scaling) })),
    });
    return { scaling, table };
  },
  text: ({ table }) => tableToText(table),
  display: ({ table }) => ({ "text/html": tableToHtml(table) }),
});
