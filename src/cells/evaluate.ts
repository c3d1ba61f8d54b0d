import { z } from "zod";
import {
  deskImages,
  planTriggers,
  predictModel,
  reportPredictions,
  type EvaluationReport,
  type EvaluationTask,
  type HostModel,
  type TaskPredictions,
} from "../evaluation";
import { tableToHtml, tableToText, type Table } from "../figures";
import { defineCell, type Cell, type Result } from "./cell";
import { reportTable } from "./reportTable";
import type { Suite } from "./suite";
import { sharedWorkers } from "./workers";

/** A model as it is judged. */
export interface JudgedModel extends HostModel {
  /** Trigger of each attacked task; default none. */
  readonly attacked?: Readonly<Record<string, string>> | undefined;
  /** Its name in tables and pictures. */
  readonly title?: string | undefined;
}

/** Parameters of `predict`. */
export interface PredictParameters {
  /** `test` for what is reported, `validation` for every choice; default `test`. */
  split?: "train" | "validation" | "test" | undefined;
  /** Trigger of each attacked task; default: what the model's origin says. */
  attacked?: Record<string, string> | undefined;
  /** `own` (default), `all`, or names; see `planTriggers()`. */
  triggers?: "own" | "all" | string[] | undefined;
  /** At most so many images a task, from the start of the split; default all. */
  limit?: number | undefined;
}

/** Parameters of `evaluate`. */
export interface EvaluateParameters extends PredictParameters {
  /** Whether images of the target class count in the ASR's denominator; default false. */
  countAll?: boolean | undefined;
  /** Seed of the bootstrap; default 0. */
  seed?: number | undefined;
  /** Resamples of the bootstrap; default 2000. */
  replicates?: number | undefined;
}

/** Predicted classes, by task id. */
export interface Predictions {
  readonly tasks: ReadonlyMap<string, TaskPredictions<Int32Array>>;
}

/** An evaluation of one model, as `evaluate` gives it. */
export type Evaluation = Result<EvaluationReport & { readonly title: string | null }>;

const predictParameters = z.object({
  split: z.enum(["train", "validation", "test"]).default("test").describe("test for what is reported, validation for every choice"),
  attacked: z.record(z.string(), z.string()).optional().describe("trigger of each attacked task; default: what the model's origin says"),
  triggers: z
    .union([z.enum(["own", "all"]), z.array(z.string())])
    .default("own")
    .describe("own: each task's own and the attackers' on every task; all: each on every task; or names"),
  limit: z.number().int().min(1).optional().describe("at most so many images a task; default: all"),
});

/** Predicted classes of a model on a suite's images, as they are and under triggers. The slow part of `evaluate`. */
export const predict: Cell<[model: JudgedModel, suite: Suite], PredictParameters, Predictions> = defineCell({
  name: "predict",
  version: 1,
  summary: "Predicted classes of a model on a suite's images, as they are and under triggers",
  inputs: ["model", "suite"],
  parameters: predictParameters,
  resolve: ([model]: [model: JudgedModel, suite: Suite], parameters) => ({
    ...parameters,
    attacked: parameters.attacked ?? model.attacked ?? {},
  }),
  async run([model, suite], { split, attacked = {}, triggers, limit = Infinity }, { progress, signal }) {
    const ids = suite.tasks.map(({ id }) => id);
    const names = suite.triggers.map(({ name }) => name);
    const plan = planTriggers(ids, names, { attacked, wanted: triggers });
    const tasks = suite.tasks.map(({ id, head }): EvaluationTask => ({
      id,
      head,
      images: deskImages(id, split, limit),
      triggers: plan.get(id)!.map((name) => suite.triggers.find((trigger) => trigger.name === name)!),
    }));
    const total = tasks.reduce((sum, task) => sum + (task.images as { count: number }).count * (1 + task.triggers.length), 0);
    const task = progress.start(`Evaluate ${model.title ?? "model"}`, { total, unit: "images" });
    const onProgress = (step: number): void => task.update({ step });
    const { config, parameters } = model;
    const predictions = await predictModel({ config, parameters }, tasks, { workers: await sharedWorkers(), signal, onProgress });
    return { tasks: predictions };
  },
});

/** ACC, ASR, flips and ACC under triggers of a model on a suite, with 95 % intervals. */
export const evaluate: Cell<[model: JudgedModel, suite: Suite], EvaluateParameters, EvaluationReport & { readonly title: string | null }> =
  defineCell({
    name: "evaluate",
    version: 1,
    summary: "ACC, ASR, flips and ACC under triggers of a model on a suite, with 95 % intervals",
    inputs: ["model", "suite"],
    parameters: predictParameters.extend({
      countAll: z.boolean().default(false).describe("whether images of the target class count in the ASR's denominator"),
      seed: z.number().int().default(0).describe("seed of the bootstrap"),
      replicates: z.number().int().min(1).default(2000).describe("resamples of the bootstrap"),
    }),
    resolve: ([model]: [model: JudgedModel, suite: Suite], parameters) => ({
      ...parameters,
      attacked: parameters.attacked ?? model.attacked ?? {},
    }),
    async run([model, suite], { countAll, seed, replicates, attacked = {}, ...parameters }, { settings }) {
      const predictions = await predict.with(settings)(model, suite, { ...parameters, attacked });
      return { ...reportPredictions(predictions.tasks, { attacked, countAll, seed, replicates }), title: model.title ?? null };
    },
    text: (report) => tableToText(tableOf(report)),
    display: (report) => ({ "text/html": tableToHtml(tableOf(report)) }),
  });

function tableOf(report: Evaluation): Table {
  return reportTable({ [report.title ?? "Model"]: report });
}
