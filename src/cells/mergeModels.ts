import { z } from "zod";
import type { NamedTensors } from "../checkpoints";
import { dataFreeMethods, findMethod, mergeParameters, parseOptions } from "../merging";
import type { VisionConfig } from "../models";
import { defineCell, type Cell, type Result } from "./cell";
import type { FinetunedModel, TaskVectors } from "./taskVectors";

/** A merged model. */
export interface MergedModel {
  readonly config: VisionConfig;
  readonly parameters: NamedTensors;
  /** What it was merged from. */
  readonly models: readonly Omit<FinetunedModel, "parameters">[];
  /** Trigger of each attacked task. */
  readonly attacked: Readonly<Record<string, string>>;
  /** The method's name in tables. */
  readonly title: string;
}

/** A merged model as `mergeModels` gives it. */
export type Merged = Result<MergedModel>;

/** Parameters of `mergeModels`; each method knows some of the options. */
export interface MergeModelsParameters {
  /** Default `task_arithmetic`. */
  method?: "average" | "task_arithmetic" | "ties" | undefined;
  /** λ, the factor of the summed task vectors. */
  scaling?: number | undefined;
  /** Ties: fraction of each task vector that is kept. */
  density?: number | undefined;
  /** Ties: whether the threshold is one a tensor or one for all. */
  trim?: "global" | "tensor" | undefined;
  /** Ties: how the entries that agree are put together. */
  aggregate?: "sum" | "mean" | undefined;
}

/** Merges fine-tuned models into one by a method that looks at parameters alone. */
export const mergeModels: Cell<[vectors: TaskVectors], MergeModelsParameters, MergedModel> = defineCell({
  name: "mergeModels",
  version: 1,
  summary: "Merges fine-tuned models into one by a method that looks at parameters alone",
  inputs: ["vectors"],
  engine: false,
  parameters: z.object({
    method: z
      .enum([...dataFreeMethods.keys()] as ["average", "task_arithmetic", "ties"])
      .default("task_arithmetic")
      .describe("weight average, Task Arithmetic or Ties-Merging"),
    scaling: z
      .number()
      .optional()
      .describe(`factor of the summed task vectors; default: ${defaultsOf("scaling")}`),
    density: z
      .number()
      .optional()
      .describe(`fraction of each task vector that is kept; default: ${defaultsOf("density")}`),
    trim: z
      .enum(["global", "tensor"])
      .optional()
      .describe(`one threshold for all tensors or one each; default: ${defaultsOf("trim")}`),
    aggregate: z
      .enum(["sum", "mean"])
      .optional()
      .describe(`how agreeing entries are put together; default: ${defaultsOf("aggregate")}`),
  }),
  resolve(_: [vectors: TaskVectors], { method, ...options }) {
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    const row = findMethod(method);
    return { method, ...(parseOptions(row, given, `Cannot run cell "mergeModels" with method "${method}"`) as typeof options) };
  },
  run([vectors], { method, ...options }) {
    const row = findMethod(method);
    if (row.kind !== "data-free") throw new TypeError(`Cannot merge by "${method}": expected a data-free method`);
    const { config, pretrained, models, attacked } = vectors;
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    const parameters = mergeParameters(row, pretrained, { finetuned: models.map((model) => model.parameters) }, given);
    const origins = models.map(({ task, attack, trigger, seed }) => ({ task, attack, trigger, seed }));
    return { config, parameters, models: origins, attacked, title: row.title };
  },
  text: ({ title, models, parameters, provenance }) => {
    const settings = Object.entries(provenance.parameters).filter(([name]) => name !== "method");
    const numbers = [...parameters.values()].reduce((sum, { values }) => sum + values.length, 0);
    return [
      `${title} of ${models.length} models${settings.map(([name, value]) => `, ${name} ${String(value)}`).join("")}: ${numbers} parameters`,
      ...models.map(({ task, trigger }) => `  ${task.padEnd(10)}${trigger === null ? "clean" : `backdoored by ${trigger}`}`),
    ].join("\n");
  },
});

/** The methods' defaults of one option, for the help. */
function defaultsOf(option: string): string {
  const rows = [...dataFreeMethods.values()].filter(({ defaults }) => option in (defaults as object));
  return rows.map(({ name, defaults }) => `${(defaults as Record<string, unknown>)[option]} (${name})`).join(", ");
}
