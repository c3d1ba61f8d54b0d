import { z } from "zod";
import type { EvaluationReport, TaskPredictions } from "../evaluation";
import { reportPredictions } from "../evaluation";
import { tableToHtml, tableToText } from "../figures";
import { defineCell, type Cell } from "./cell";
import { predict } from "./evaluate";
import { reportTable } from "./reportTable";
import type { Suite } from "./suite";
import type { TaskVectors } from "./taskVectors";

/** Parameters of `evaluateIndividuals`. */
export interface EvaluateIndividualsParameters {
  split?: "train" | "validation" | "test" | undefined;
  /** Trigger of each attacked task; default: what the models' origin says. */
  attacked?: Record<string, string> | undefined;
  /** At most so many images a task. */
  limit?: number | undefined;
}

/** ACC and ASR of fine-tuned models before any merge: each on its own task, under its own trigger. A report as of one model. */
export const evaluateIndividuals: Cell<
  [vectors: TaskVectors, suite: Suite],
  EvaluateIndividualsParameters,
  EvaluationReport & { readonly title: string | null }
> = defineCell({
  name: "evaluateIndividuals",
  version: 1,
  summary: "ACC and ASR of fine-tuned models before any merge, each on its own task",
  inputs: ["vectors", "suite"],
  parameters: z.object({
    split: z.enum(["train", "validation", "test"]).default("test").describe("test for what is reported"),
    attacked: z.record(z.string(), z.string()).optional().describe("trigger of each attacked task; default: what the models' origin says"),
    limit: z.number().int().min(1).optional().describe("at most so many images a task; default: all"),
  }),
  resolve: ([vectors]: [vectors: TaskVectors, suite: Suite], parameters) => ({
    ...parameters,
    attacked: parameters.attacked ?? vectors.attacked,
  }),
  async run([vectors, suite], { split, attacked = {}, limit }, { settings, signal }) {
    const tasks = new Map<string, TaskPredictions<Int32Array>>();
    for (const { task, parameters } of vectors.models) {
      signal.throwIfAborted();
      const alone = { ...suite, tasks: suite.tasks.filter(({ id }) => id === task) };
      const trigger = attacked[task];
      const model = { config: vectors.config, parameters, title: `individual ${task}` };
      const own = trigger === undefined ? {} : { [task]: trigger };
      const predictions = await predict.with({ ...settings, signal })(model, alone, { split, attacked: own, limit });
      tasks.set(task, predictions.tasks.get(task)!);
    }
    return { ...reportPredictions(tasks, { attacked }), title: "Individual models" };
  },
  text: (report) => tableToText(reportTable({ "Individual models": report })),
  display: (report) => ({ "text/html": tableToHtml(reportTable({ "Individual models": report })) }),
});
