import { z } from "zod";
import { methodTable, parseOptions, findMethod, type TestTimeMethod } from "../merging";
import {
  testTimeMethods,
  VECTOR_DTYPE_TEXT,
  type AdaMergingOptions,
  type AdaptationContext,
  type AdaptedMerge,
  type ConcreteAdaMergingOptions,
} from "../merging/adaptive";
import { adaptationShape, adaptedModel, describeAdapted, runAdapted, unfinishedSteps, type AdaptationParameters } from "./adaptation";
import type { AdaptedModel } from "./adaptation";
import { defineCell, type Cell, type Result } from "./cell";
import type { TaskVectors } from "./taskVectors";

/** A merged model as `adaptModels` gives it. */
export type Adapted = Result<AdaptedModel>;

type MethodOptions = AdaMergingOptions & ConcreteAdaMergingOptions;

/** Parameters of `adaptModels`; each method knows some of the options. */
export type AdaptModelsParameters = AdaptationParameters & {
  /** Default `adamerging`. */
  method?: "adamerging" | "adamerging_taskwise" | "concrete_task_arithmetic" | "concrete_adamerging" | undefined;
  /** Of all random numbers; default 0. */
  seed?: number | undefined;
} & { [option in keyof MethodOptions]?: MethodOptions[option] | undefined };

const methods = methodTable(testTimeMethods);

/** Merges fine-tuned models into one by a method that adapts to unlabelled images: AdaMerging, Concrete. (For DAM: `metaOptimize`.) */
export const adaptModels: Cell<[vectors: TaskVectors], AdaptModelsParameters, AdaptedModel> = defineCell({
  name: "adaptModels",
  version: 1,
  summary: "Merges fine-tuned models into one by a method that adapts to unlabelled images",
  inputs: ["vectors"],
  parameters: z.object({
    method: z
      .enum(["adamerging", "adamerging_taskwise", "concrete_task_arithmetic", "concrete_adamerging"])
      .default("adamerging")
      .describe("layer-wise or task-wise AdaMerging, Concrete Task Arithmetic, Concrete AdaMerging"),
    seed: z.number().int().default(0).describe("of all random numbers"),
    ...adaptationShape,
    steps: z.number().optional().describe(text("steps", "steps on λ, or on the mask")),
    batchSize: z.number().optional().describe(text("batchSize", "images a task and step")),
    learningRate: z.number().optional().describe(text("learningRate", "Adam's, on λ")),
    initialCoefficient: z.number().optional().describe(text("initialCoefficient", "λ before the first step")),
    clamp: z.boolean().optional().describe(text("clamp", "whether λ is kept in [0, 1]")),
    plusPlus: z.boolean().optional().describe(text("plusPlus", "whether task vectors are trimmed and sign-elected first")),
    density: z.number().optional().describe(text("density", "plusPlus: fraction of each task vector that is kept")),
    maskLearningRate: z.number().optional().describe(text("maskLearningRate", "Adam's, on mask logits")),
    initialLogit: z.number().optional().describe(text("initialLogit", "mask logits before the first step")),
    temperature: z.number().optional().describe(text("temperature", "T of the relaxed Bernoulli distribution")),
    granularity: z.enum(["weight", "neuron", "head", "layer"]).optional().describe(text("granularity", "what one mask logit governs")),
    evaluationMask: z.enum(["mean", "sample", "threshold"]).optional().describe(text("evaluationMask", "how the mask is fixed at the end")),
    coefficients: z.enum(["layer", "task"]).optional().describe(text("coefficients", "one λ a task and tensor, or one a task")),
    vectorDtype: z.enum(["float32", "bfloat16"]).optional().describe(text("vectorDtype", VECTOR_DTYPE_TEXT)),
    finalAdaptSteps: z.number().optional().describe(text("finalAdaptSteps", "steps on λ under the finished mask")),
  }),
  resolve(_: [vectors: TaskVectors], { method, seed, adaptOn, whenInterrupted, ...options }) {
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    const action = `Cannot run cell "adaptModels" with method "${method}"`;
    return { method, seed, adaptOn, whenInterrupted, ...(parseOptions(findMethod(method, methods), given, action) as typeof options) };
  },
  async run([vectors], { method, seed, adaptOn, whenInterrupted, ...options }, context) {
    const row = findMethod(method, methods) as TestTimeMethod<object, AdaptationContext, AdaptedMerge>;
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    const merge = await runAdapted(vectors, { seed, adaptOn, whenInterrupted, vectorDtype: options.vectorDtype }, context, (setting) =>
      row.merge(setting, given),
    );
    return adaptedModel(vectors, merge, row.title);
  },
  unfinished: unfinishedSteps,
  text: (result) => describeAdapted(result).join("\n"),
});

/** An option's meaning with the methods' defaults. */
function text(option: keyof MethodOptions, meaning: string): string {
  const rows = testTimeMethods.filter(({ defaults }) => option in defaults);
  const shown = rows.map(({ defaults }) => String((defaults as Record<string, unknown>)[option]));
  const same = new Set(shown).size === 1 && rows.length === testTimeMethods.length;
  return `${meaning}; default: ${same ? shown[0] : rows.map(({ name }, index) => `${shown[index]} (${name})`).join(", ")}`;
}
