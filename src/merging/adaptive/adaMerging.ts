/** AdaMerging (Yang et al. 2024, arXiv:2310.02575): coefficients that make the merged model's predictions certain. */
import { z } from "zod";
import type { HostTensor } from "../../checkpoints";
import type { TestTimeMethod } from "../method";
import { openWorkplace, type AdaptationContext, type Workplace } from "./adaptation";
import { entropyLoss, type TaskLoss } from "./losses";
import { runLoop, startVariable, stepVariable, type StepNumbers, type Variable } from "./loop";
import {
  coefficientGradient,
  mergedParameters,
  mergeTaskVectors,
  startCoefficients,
  type CoefficientGranularity,
  type Coefficients,
} from "./mergeSpace";
import { storeTaskVector, VECTOR_DTYPE_TEXT, vectorDtypeSchema, type VectorDtype } from "./storedVectors";
import { tiesTaskVectors } from "./tiesVectors";

/** Options of AdaMerging. */
export interface AdaMergingOptions {
  /** Default 200. */
  readonly steps: number;
  /** Images a task and step; default 16. */
  readonly batchSize: number;
  /** Adam's; default 0.003. FusionBench: 0.001 for 1,000 steps. */
  readonly learningRate: number;
  /** λ before the first step; default 0.3. */
  readonly initialCoefficient: number;
  /** Whether λ is kept in [0, 1]; default false, as in FusionBench. */
  readonly clamp: boolean;
  /** Whether task vectors are trimmed and sign-elected first (AdaMerging++); default false. */
  readonly plusPlus: boolean;
  /** ++ only: fraction of each task vector that is kept; default 0.2. */
  readonly density: number;
  /** How task vectors are held; default `float32`. */
  readonly vectorDtype: VectorDtype;
}

/** A model merged at test time, with what it takes to merge it again at another scale. */
export interface AdaptedMerge {
  /** All parameters, named and ordered as the pretrained model's. */
  readonly parameters: Map<string, HostTensor>;
  readonly coefficients: Coefficients;
  /** Factor of each merged element; null without masks. */
  readonly mask: Float32Array | null;
  /** Losses of each step. */
  readonly history: readonly StepNumbers[];
  /** False if an interrupt ended the run early. */
  readonly completed: boolean;
  /** What else the method has to say, as plain data, for the merge's record. */
  readonly findings?: Readonly<Record<string, unknown>>;
}

/** Defaults of AdaMerging. */
export const ADAMERGING_DEFAULTS: AdaMergingOptions = {
  steps: 200,
  batchSize: 16,
  learningRate: 3e-3,
  initialCoefficient: 0.3,
  clamp: false,
  plusPlus: false,
  density: 0.2,
  vectorDtype: "float32",
};

/** AdaMerging with one coefficient a task and parameter tensor. */
export const adaMerging = adaMergingRow("adamerging", "AdaMerging", "layer");

/** AdaMerging with one coefficient a task. */
export const adaMergingTaskwise = adaMergingRow("adamerging_taskwise", "Task-wise AdaMerging", "task");

function adaMergingRow(
  name: string,
  title: string,
  granularity: CoefficientGranularity,
): TestTimeMethod<AdaMergingOptions, AdaptationContext, AdaptedMerge> {
  const defaults = ADAMERGING_DEFAULTS;
  return {
    kind: "test-time",
    name,
    title,
    reference: "Yang et al. 2024, arXiv:2310.02575",
    options: z.strictObject({
      steps: z.number().int().min(0).default(defaults.steps),
      batchSize: z.number().int().min(1).default(defaults.batchSize),
      learningRate: z.number().gt(0).default(defaults.learningRate),
      initialCoefficient: z.number().default(defaults.initialCoefficient),
      clamp: z.boolean().default(defaults.clamp),
      plusPlus: z.boolean().default(defaults.plusPlus),
      density: z.number().gt(0).lte(1).default(defaults.density),
      vectorDtype: vectorDtypeSchema,
    }),
    defaults,
    texts: {
      steps: "steps of Adam on λ (FusionBench: 1,000)",
      batchSize: "images a task and step",
      learningRate: "Adam's (FusionBench: 0.001)",
      initialCoefficient: "λ before the first step",
      clamp: "whether λ is kept in [0, 1]",
      plusPlus: "AdaMerging++: whether task vectors are trimmed and sign-elected first",
      density: "plusPlus only: fraction of each task vector that is kept",
      vectorDtype: VECTOR_DTYPE_TEXT,
    },
    merge: (context, options) => runAdaMerging(context, granularity, options),
  };
}

/**
 * Minimises the entropy of the merged model's predictions, summed over the tasks, by Adam on λ.
 * @param options What is left out takes the defaults.
 */
export async function runAdaMerging(
  context: AdaptationContext,
  granularity: CoefficientGranularity,
  options: Partial<AdaMergingOptions> = {},
): Promise<AdaptedMerge> {
  const settings = { ...ADAMERGING_DEFAULTS, ...options };
  const { plusPlus, density, vectorDtype } = settings;
  // Rounded before they are trimmed, so that it does not matter whether the caller has rounded them.
  const stored = context.taskVectors.map((vector) => storeTaskVector(vector, vectorDtype));
  const taskVectors = plusPlus ? tiesTaskVectors(stored, density) : stored;
  const place = openWorkplace(context, settings.batchSize, { taskVectors, vectorDtype });
  const coefficients = startCoefficients(place.space, granularity, settings.initialCoefficient);
  const variable = startVariable(coefficients.values);
  const { history, completed } = await runLoop(
    {
      name: granularity === "task" ? "task-wise AdaMerging" : "AdaMerging",
      steps: settings.steps,
      variables: { coefficients: variable },
      step: async (step) => ({
        entropy: await adaptCoefficients(place, { ...settings, granularity, phase: "coefficients" }, variable, null, step),
      }),
    },
    context,
  );
  const theta = mergeTaskVectors(place.space, coefficients, null, { theta: place.rooms.take("theta") });
  return { parameters: mergedParameters(place.space, theta), coefficients, mask: null, history, completed };
}

/** How coefficients are adapted. */
export interface CoefficientPhase {
  readonly granularity: CoefficientGranularity;
  readonly learningRate: number;
  readonly clamp: boolean;
  /** Names the batches. */
  readonly phase: string;
  /** What is minimised on these batches; default entropy. */
  readonly lossOf?: (batches: readonly Float32Array[]) => Promise<TaskLoss>;
}

/** One step on λ under fixed masks; returns the loss, summed over the tasks. */
export async function adaptCoefficients(
  { space, tower, batches, rooms }: Workplace,
  { granularity, learningRate, clamp, phase, lossOf }: CoefficientPhase,
  coefficients: Variable,
  mask: Float32Array | null,
  step: number,
): Promise<number> {
  const theta = mergeTaskVectors(space, { granularity, values: coefficients.values }, mask, { theta: rooms.take("theta") });
  const images = batches(phase, step);
  const loss = lossOf ? await lossOf(images) : entropyLoss;
  const found = await tower.pass(theta, images, { loss }, rooms.take("gradient"));
  stepVariable(coefficients, coefficientGradient(space, granularity, found.gradient, mask), learningRate);
  if (clamp) clampCoefficients(coefficients.values);
  return found.loss;
}

/** Brings coefficients into [0, 1], in place. */
export function clampCoefficients(values: Float32Array): void {
  for (let i = 0; i < values.length; i++) values[i] = Math.min(1, Math.max(0, values[i]!));
}
