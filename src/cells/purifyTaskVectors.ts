import { z } from "zod";
import type { HostTensor } from "../checkpoints";
import { PURIFY_OPTION_TEXTS, purifyOptionsShape, runPurify, type Inspection, type PurifyOptions } from "../defenses";
import { makeTable, tableToHtml, tableToText, type Table } from "../figures";
import type { StepNumbers } from "../merging/adaptive";
import { adaptationShape, runAdapted, type AdaptationParameters } from "./adaptation";
import { defineCell, type Cell, type Result } from "./cell";
import { identifyInput } from "./provenance";
import { stickerGallery } from "./stickerGallery";
import type { TaskVectors } from "./taskVectors";

/** Settings of purification without those of the merge, which another cell does. */
const MERGE_OPTIONS = ["mergeSteps", "batchSize", "learningRate", "coefficients", "initialCoefficient"] as const;
type PurgeOptions = Omit<PurifyOptions, (typeof MERGE_OPTIONS)[number]>;

/** Parameters of `purifyTaskVectors`. */
export type PurifyTaskVectorsParameters = Pick<AdaptationParameters, "adaptOn"> & {
  /** Of all random numbers; default 0. */
  seed?: number | undefined;
} & { [option in keyof PurgeOptions]?: PurgeOptions[option] | undefined };

/** Task vectors without what stickers can exploit, to merge by any method, and what was found in each model. */
export interface PurifiedTaskVectors extends TaskVectors {
  /** In the models' order. */
  readonly inspections: readonly Inspection[];
  /** Mean gate of each model, by task: the share of its task vector's elements that is kept; 1 where nothing was purged. */
  readonly kept: Readonly<Record<string, number>>;
}

/** Purified task vectors as `purifyTaskVectors` gives them. */
export type Purified = Result<PurifiedTaskVectors>;

const shape = Object.fromEntries(
  Object.entries(purifyOptionsShape)
    .filter(([name]) => !(MERGE_OPTIONS as readonly string[]).includes(name))
    .map(([name, schema]) => [name, schema.describe(PURIFY_OPTION_TEXTS[name as keyof PurifyOptions])]),
) as Omit<typeof purifyOptionsShape, (typeof MERGE_OPTIONS)[number]>;

const parameters = z.object({
  seed: z.number().int().default(0).describe("of all random numbers"),
  ...shape,
  adaptOn: adaptationShape.adaptOn,
});

/** One model's purification. */
interface PurifiedModel {
  readonly inspection: Inspection;
  /** θ0 + g ⊙ τ, the merged parameters only. */
  readonly parameters: ReadonlyMap<string, HostTensor>;
  readonly history: readonly StepNumbers[];
}

/** One model by itself, kept by its own content: the same model in another merge is not purified again. */
const purifyModel: Cell<[model: TaskVectors], z.input<typeof parameters>, PurifiedModel> = defineCell({
  name: "purifyModel",
  version: 2,
  summary: "Inspects one fine-tuned model for a backdoor and purges its task vector",
  inputs: ["model"],
  parameters,
  identify: ([{ config, pretrained, models, heads }]: [model: TaskVectors]) => ({
    model: identifyInput({ config, pretrained, heads, task: models[0]!.task, parameters: models[0]!.parameters }),
  }),
  async run([vectors], { seed, adaptOn, ...options }, context) {
    const { taskVectors, inspections, history } = await runAdapted(
      vectors,
      { seed, adaptOn, whenInterrupted: "throw" },
      context,
      (adaptation) => runPurify(adaptation, { ...options, mergeSteps: 0 }),
    );
    const parameters = new Map<string, HostTensor>();
    for (const [name, { shape: size, values }] of taskVectors[0]!) {
      const origin = vectors.pretrained.get(name)!.values;
      parameters.set(name, { shape: size, values: values.map((value, i) => origin[i]! + value) });
    }
    return { inspection: inspections[0]!, parameters, history };
  },
});

/**
 * Inspects each model for a backdoor and purges its task vector (docs/purification.md). The result goes where task vectors go: into
 * `mergeModels`, `adaptModels`, `metaOptimize`. Each model is kept by its own content, so that another merge with the same model finds it.
 */
export const purifyTaskVectors: Cell<[vectors: TaskVectors], PurifyTaskVectorsParameters, PurifiedTaskVectors> = defineCell({
  name: "purifyTaskVectors",
  version: 2,
  summary: "Inspects each model for a backdoor and purges its task vector",
  inputs: ["vectors"],
  parameters,
  cache: false,
  async run([vectors]: [vectors: TaskVectors], given, { settings, signal }) {
    const found: PurifiedModel[] = [];
    for (const model of vectors.models) {
      const alone = { ...vectors, models: [model], heads: { [model.task]: vectors.heads[model.task]! }, attacked: {} };
      found.push(await purifyModel.with({ ...settings, signal })(alone, given));
    }
    return {
      ...vectors,
      models: vectors.models.map((model, index) => ({
        ...model,
        parameters: new Map<string, HostTensor>([...model.parameters, ...found[index]!.parameters]),
      })),
      inspections: found.map(({ inspection }) => inspection),
      kept: Object.fromEntries(vectors.models.map(({ task: name }, index) => [name, found[index]!.history.at(-1)?.["kept"] ?? 1])),
    };
  },
  text: (result) => tableToText(inspectionTable(result)),
  display: async (result: Purified) => ({
    "text/html": `${tableToHtml(inspectionTable(result))}\n${await stickerGallery(result.inspections)}`,
  }),
});

/** What was found in each model. */
function inspectionTable({ inspections, kept }: Pick<PurifiedTaskVectors, "inspections" | "kept">): Table {
  return makeTable({
    columns: [
      { key: "task", title: "Model of" },
      { key: "capture", title: "Captured by one sticker", format: "percent" },
      { key: "target", title: "To class", format: "integer" },
      { key: "pretrainedCapture", title: "Of the pretrained model", format: "percent" },
      { key: "verdict", title: "Verdict" },
      { key: "kept", title: "Task vector kept", format: "percent" },
    ],
    rows: inspections.map(({ task, capture, target, pretrainedCapture, suspect }) => ({
      task,
      capture,
      target,
      pretrainedCapture,
      verdict: suspect ? "suspect" : "nothing found",
      kept: kept[task]!,
    })),
  });
}
