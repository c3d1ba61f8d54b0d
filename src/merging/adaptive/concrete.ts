/** Concrete Subspace Learning (Tang et al. 2023, arXiv:2312.06173): one mask, shared by the tasks, that lowers the merged model's entropy. */
import { z } from "zod";
import { randomStream } from "../../engine";
import type { TestTimeMethod } from "../method";
import { openWorkplace, type AdaptationContext, type Workplace } from "./adaptation";
import { adaptCoefficients, type AdaptedMerge } from "./adaMerging";
import { composeMasks, logisticNoise, logitGradient, MASK_TEMPERATURE, maskDensity, relaxMask, type EvaluationMask } from "./concreteMask";
import { evaluationMask } from "./evaluationMask";
import { entropyLoss } from "./losses";
import { runLoop, startVariable, stepVariable, type Variable } from "./loop";
import { layoutMask, type MaskGranularity, type MaskLayout } from "./maskLayout";
import { maskGradient, mergedParameters, mergeTaskVectors, startCoefficients } from "./mergeSpace";
import { VECTOR_DTYPE_TEXT, vectorDtypeSchema, type VectorDtype } from "./storedVectors";

/** Options of Concrete Task Arithmetic. */
export interface ConcreteOptions {
  /** Steps on the mask; default 100. FusionBench: 2,000 at 0.001. */
  readonly steps: number;
  /** Images a task and step; default 16. */
  readonly batchSize: number;
  /** Adam's, on mask logits; default 0.01. */
  readonly maskLearningRate: number;
  /** λ; default 0.3. */
  readonly initialCoefficient: number;
  /** Z before the first step; default 0. */
  readonly initialLogit: number;
  /** T; default 0.5. */
  readonly temperature: number;
  readonly granularity: MaskGranularity;
  /** Default `mean`. FusionBench: `sample`. */
  readonly evaluationMask: EvaluationMask;
  /** How task vectors are held; default `float32`. */
  readonly vectorDtype: VectorDtype;
}

/** Options of Concrete AdaMerging. */
export interface ConcreteAdaMergingOptions extends ConcreteOptions {
  /** Adam's, on λ; default 0.003. */
  readonly learningRate: number;
  /** Whether λ is kept in [0, 1]; default false. */
  readonly clamp: boolean;
  /** Whether there is one coefficient a task and tensor (default) or one a task. */
  readonly coefficients: "layer" | "task";
  /** Steps of AdaMerging under the finished mask; default 100. FusionBench: 1,000. */
  readonly finalAdaptSteps: number;
}

const DEFAULTS: ConcreteOptions = {
  steps: 100,
  batchSize: 16,
  maskLearningRate: 0.01,
  initialCoefficient: 0.3,
  initialLogit: 0,
  temperature: MASK_TEMPERATURE,
  granularity: "weight",
  evaluationMask: "mean",
  vectorDtype: "float32",
};
const ADAMERGING_DEFAULTS: ConcreteAdaMergingOptions = {
  ...DEFAULTS,
  learningRate: 3e-3,
  clamp: false,
  coefficients: "layer",
  finalAdaptSteps: 100,
};

const schema = {
  steps: z.number().int().min(0).default(DEFAULTS.steps),
  batchSize: z.number().int().min(1).default(DEFAULTS.batchSize),
  maskLearningRate: z.number().gt(0).default(DEFAULTS.maskLearningRate),
  initialCoefficient: z.number().default(DEFAULTS.initialCoefficient),
  initialLogit: z.number().default(DEFAULTS.initialLogit),
  temperature: z.number().gt(0).default(DEFAULTS.temperature),
  granularity: z.enum(["weight", "neuron", "head", "layer"]).default(DEFAULTS.granularity),
  evaluationMask: z.enum(["mean", "sample", "threshold"]).default(DEFAULTS.evaluationMask),
  vectorDtype: vectorDtypeSchema,
};
const texts = {
  steps: "steps on the mask (FusionBench: 2,000 at rate 0.001)",
  batchSize: "images a task and step",
  maskLearningRate: "Adam's, on mask logits",
  initialCoefficient: "λ before the first step",
  initialLogit: "mask logits Z before the first step",
  temperature: "T of the relaxed Bernoulli distribution",
  granularity: "what one mask logit governs",
  evaluationMask: "how the mask is fixed at the end: noise-free, one seeded draw (FusionBench), or cut at probability 0.5",
  vectorDtype: VECTOR_DTYPE_TEXT,
};
const reference = "Tang et al. 2023, arXiv:2312.06173";

/** A mask over Task Arithmetic, trained on entropy with λ fixed. */
export const concreteTaskArithmetic: TestTimeMethod<ConcreteOptions, AdaptationContext, AdaptedMerge> = {
  kind: "test-time",
  name: "concrete_task_arithmetic",
  title: "Concrete Task Arithmetic",
  reference,
  options: z.strictObject(schema),
  defaults: DEFAULTS,
  texts: { ...texts, initialCoefficient: "λ, which stays" },
  merge: (context, options) => runConcrete(context, { ...ADAMERGING_DEFAULTS, ...options, finalAdaptSteps: 0 }, false),
};

/** A mask and layer-wise coefficients in turn, then coefficients alone. */
export const concreteAdaMerging: TestTimeMethod<ConcreteAdaMergingOptions, AdaptationContext, AdaptedMerge> = {
  kind: "test-time",
  name: "concrete_adamerging",
  title: "Concrete AdaMerging",
  reference,
  options: z.strictObject({
    ...schema,
    learningRate: z.number().gt(0).default(ADAMERGING_DEFAULTS.learningRate),
    clamp: z.boolean().default(ADAMERGING_DEFAULTS.clamp),
    coefficients: z.enum(["layer", "task"]).default(ADAMERGING_DEFAULTS.coefficients),
    finalAdaptSteps: z.number().int().min(0).default(ADAMERGING_DEFAULTS.finalAdaptSteps),
  }),
  defaults: ADAMERGING_DEFAULTS,
  texts: {
    ...texts,
    learningRate: "Adam's, on λ",
    clamp: "whether λ is kept in [0, 1]",
    coefficients: "one λ a task and tensor, or one a task",
    finalAdaptSteps: "steps of AdaMerging under the finished mask (FusionBench: 1,000)",
  },
  merge: (context, options) => runConcrete(context, options, true),
};

/**
 * Each step: sample the mask, adapt λ under it (Concrete AdaMerging), then the mask's logits; at the end λ alone under the fixed mask.
 * λ goes on from step to step; FusionBench resets it to 0.3 before each step of Adam at rate 1.
 */
async function runConcrete(context: AdaptationContext, settings: ConcreteAdaMergingOptions, adapt: boolean): Promise<AdaptedMerge> {
  const place = openWorkplace(context, settings.batchSize, { vectorDtype: settings.vectorDtype });
  const layout = layoutMask(place.space.layout, settings.granularity, context.config);
  const { coefficients: granularity, steps, finalAdaptSteps } = settings;
  const start = startCoefficients(place.space, granularity, settings.initialCoefficient);
  const coefficients = startVariable(start.values);
  const logits = startVariable(new Float32Array(layout.logits).fill(settings.initialLogit));
  const final = (): Float32Array => evaluationMask(layout, [logits.values], settings, place.seed)!;
  let fixed: Float32Array | undefined;
  const { history, completed } = await runLoop(
    {
      name: adapt ? "Concrete AdaMerging" : "Concrete Task Arithmetic",
      steps: steps + finalAdaptSteps,
      variables: { coefficients, logits },
      async step(step) {
        if (step < steps) return updateMask(place, layout, { ...settings, adapt }, coefficients, logits, step);
        fixed ??= final();
        const phase = { ...settings, granularity, phase: "final" };
        return { entropy: await adaptCoefficients(place, phase, coefficients, fixed, step - steps) };
      },
    },
    context,
  );
  const mask = fixed ?? final();
  const theta = mergeTaskVectors(place.space, start, mask, { theta: place.rooms.take("theta") });
  return { parameters: mergedParameters(place.space, theta), coefficients: start, mask, history, completed };
}

async function updateMask(
  place: Workplace,
  layout: MaskLayout,
  settings: ConcreteAdaMergingOptions & { adapt: boolean },
  coefficients: Variable,
  logits: Variable,
  step: number,
): Promise<Record<string, number>> {
  const { space, tower, batches, rooms } = place;
  const { coefficients: granularity, temperature } = settings;
  const noise = logisticNoise(randomStream(place.seed, "mask", "shared", step), layout.logits);
  const concrete = relaxMask(layout, logits.values, noise, temperature);
  const mask = composeMasks(layout, [concrete], rooms);
  if (settings.adapt) await adaptCoefficients(place, { ...settings, granularity, phase: "coefficients" }, coefficients, mask, step);
  const [theta, combined] = [rooms.take("theta"), rooms.take("spare")];
  mergeTaskVectors(space, { granularity, values: coefficients.values }, mask, { theta, combined });
  const { loss, gradient } = await tower.pass(theta, batches("shared mask", step), { loss: entropyLoss }, rooms.take("gradient"));
  const slopes = maskGradient(gradient, combined, gradient); // in place: nobody needs the gradient any more
  stepVariable(logits, logitGradient(layout, concrete, slopes, [], slopes), settings.maskLearningRate);
  return { entropy: loss, density: maskDensity(layout, logits.values) };
}
