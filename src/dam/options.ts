/** Settings of Defense-Aware Merging. */
import { z } from "zod";
import {
  MASK_TEMPERATURE,
  VECTOR_DTYPE_TEXT,
  vectorDtypeSchema,
  type CoefficientGranularity,
  type EvaluationMask,
  type MaskGranularity,
  type VectorDtype,
} from "../merging/adaptive";

/** Settings of DAM; see `DAM_DEFAULTS`. */
export interface DamOptions {
  /** `dual`: two masks, M1 and M2, in turn (the paper). `joint`: one mask on L_perf + α L_safe (the released code's form). */
  readonly variant: "dual" | "joint";
  /** `joint` only: follow the released code in everything; its own rates and coefficients replace those given here. */
  readonly referenceCompat: boolean;
  /** `none` leaves out all safety passes and nothing else: the same bytes as α = 0. */
  readonly safety: "perturbation" | "none";
  /** α, the weight of L_safe, at least 0. */
  readonly alpha: number;
  /** Iterations of the meta-optimiser. */
  readonly steps: number;
  /** Steps of AdaMerging under the finished masks. */
  readonly finalAdaptSteps: number;
  /** Images a task and pass. */
  readonly batchSize: number;
  /** One λ a task and tensor, or one a task. */
  readonly coefficients: CoefficientGranularity;
  /** Adam's, on λ. */
  readonly learningRate: number;
  /** λ before the first step. */
  readonly initialCoefficient: number;
  /** Whether λ is kept in [0, 1]. */
  readonly clamp: boolean;
  /** `dual` only: which masks there are; each is trained on its own iterations. */
  readonly masks: "both" | "shared" | "backdoor" | "none";
  /** What one mask logit governs. */
  readonly granularity: MaskGranularity;
  /** Adam's, on mask logits. */
  readonly maskLearningRate: number;
  /** Z before the first step. */
  readonly initialLogit: number;
  /** T. */
  readonly temperature: number;
  /** Whether masks are sampled in training (the paper) or noise-free, as `mean` fixes them at the end. */
  readonly trainingMask: "sample" | "mean";
  /** How masks are fixed at the end. */
  readonly evaluationMask: EvaluationMask;
  /** f_0, the frozen unmasked merge whose classes a perturbation must not change. */
  readonly pseudoLabels: "adamerging" | "task_arithmetic";
  /** Steps of AdaMerging that make f_0. */
  readonly labelSteps: number;
  /** Weight in L_perf of the cross-entropy to f_0's classes on clean images; 0 in the paper. */
  readonly anchor: number;
  /** Stickers: opaque rectangles. Noise: universal, added to the whole image. */
  readonly perturbation: "sticker" | "noise";
  /** Smallest side of a sticker in pixels; height and width are drawn apart. */
  readonly stickerMin: number;
  /** Largest side. */
  readonly stickerMax: number;
  /**
   * `tournament`: a sticker stays at its place, and those that harm least give way to new ones elsewhere. `step`: each step shows stickers of
   * new sizes at new places.
   */
  readonly placement: "tournament" | "step";
  /** `tournament` only: ascent steps between two renewals of the lesser half. */
  readonly renewEvery: number;
  /** Perturbations a task; a batch's images are dealt out to them. */
  readonly candidates: number;
  /** Ascent steps before each update of M2. */
  readonly ascentSteps: number;
  /** Length of an ascent step; pixels are in [0, 1]. */
  readonly ascentRate: number;
  /** How noise is bounded. */
  readonly noiseNorm: "linf" | "l2";
  /** The bound, in pixel units of [0, 1]. */
  readonly noiseRadius: number;
  /** One perturbed pass serves ascent and mask, one clean pass λ and mask: two passes an iteration or fewer. */
  readonly sharePasses: boolean;
  /** How task vectors are held. */
  readonly vectorDtype: VectorDtype;
}

/** Defaults of DAM, for the desk suite. */
export const DAM_DEFAULTS: DamOptions = {
  variant: "dual",
  referenceCompat: false,
  safety: "perturbation",
  alpha: 1,
  steps: 200,
  finalAdaptSteps: 50,
  batchSize: 16,
  coefficients: "layer",
  learningRate: 3e-3,
  initialCoefficient: 0.2,
  clamp: false,
  masks: "both",
  granularity: "weight",
  maskLearningRate: 0.02,
  initialLogit: 0,
  temperature: MASK_TEMPERATURE,
  trainingMask: "mean",
  evaluationMask: "mean",
  pseudoLabels: "adamerging",
  labelSteps: 100,
  anchor: 2,
  perturbation: "sticker",
  stickerMin: 4,
  stickerMax: 7,
  placement: "tournament",
  renewEvery: 15,
  candidates: 4,
  ascentSteps: 3,
  ascentRate: 0.1,
  noiseNorm: "linf",
  noiseRadius: 0.08,
  sharePasses: true,
  vectorDtype: "float32",
};

const d = DAM_DEFAULTS;
const count = (least: number, value: number) => z.number().int().min(least).default(value);
const positive = (value: number) => z.number().gt(0).default(value);

/** One line about each setting, for help and documentation. */
export const DAM_OPTION_TEXTS: Readonly<Record<keyof DamOptions, string>> = {
  variant: "dual: two masks in turn (the paper); joint: one mask on L_perf + α L_safe (the released code's form)",
  referenceCompat: "joint only: follow the released code in everything",
  safety: "none leaves out all safety passes: the same bytes as alpha 0",
  alpha: "α, the weight of L_safe",
  steps: "iterations of the meta-optimiser",
  finalAdaptSteps: "steps of AdaMerging under the finished masks",
  batchSize: "images a task and pass",
  coefficients: "one λ a task and tensor, or one a task",
  learningRate: "Adam's, on λ",
  initialCoefficient: "λ before the first step",
  clamp: "whether λ is kept in [0, 1]",
  masks: "dual only: which masks there are: M1 is shared, M2 is backdoor",
  granularity: "what one mask logit governs",
  maskLearningRate: "Adam's, on mask logits",
  initialLogit: "mask logits Z before the first step",
  temperature: "T of the relaxed Bernoulli distribution",
  trainingMask: "whether masks are sampled in training (the paper) or noise-free",
  evaluationMask: "how masks are fixed at the end: noise-free, one seeded draw, or cut at probability 0.5",
  pseudoLabels: "f_0, the unmasked merge whose classes a perturbation must not change",
  labelSteps: "steps of AdaMerging that make f_0",
  anchor: "weight in L_perf of the cross-entropy to f_0's classes on clean images",
  perturbation: "stickers, or universal noise over the whole image",
  stickerMin: "smallest side of a sticker in pixels",
  stickerMax: "largest side of a sticker in pixels",
  placement: "tournament: stickers stay where they are, and the lesser half gives way to new ones; step: new places at each step",
  renewEvery: "tournament only: ascent steps between two renewals",
  candidates: "perturbations a task; a batch's images are dealt out to them",
  ascentSteps: "ascent steps before each update of M2",
  ascentRate: "length of an ascent step; pixels are in [0, 1]",
  noiseNorm: "how noise is bounded",
  noiseRadius: "the bound on noise, in pixel units of [0, 1]",
  sharePasses: "whether one clean and one perturbed pass serve a whole iteration",
  vectorDtype: VECTOR_DTYPE_TEXT,
};

/** Schema of each setting, with its default. */
export const damOptionsShape = {
  variant: z.enum(["dual", "joint"]).default(d.variant),
  referenceCompat: z.boolean().default(d.referenceCompat),
  safety: z.enum(["perturbation", "none"]).default(d.safety),
  alpha: z.number().min(0).default(d.alpha),
  steps: count(0, d.steps),
  finalAdaptSteps: count(0, d.finalAdaptSteps),
  batchSize: count(1, d.batchSize),
  coefficients: z.enum(["layer", "task"]).default(d.coefficients),
  learningRate: positive(d.learningRate),
  initialCoefficient: z.number().default(d.initialCoefficient),
  clamp: z.boolean().default(d.clamp),
  masks: z.enum(["both", "shared", "backdoor", "none"]).default(d.masks),
  granularity: z.enum(["weight", "neuron", "head", "layer"]).default(d.granularity),
  maskLearningRate: positive(d.maskLearningRate),
  initialLogit: z.number().default(d.initialLogit),
  temperature: positive(d.temperature),
  trainingMask: z.enum(["sample", "mean"]).default(d.trainingMask),
  evaluationMask: z.enum(["mean", "sample", "threshold"]).default(d.evaluationMask),
  pseudoLabels: z.enum(["adamerging", "task_arithmetic"]).default(d.pseudoLabels),
  labelSteps: count(0, d.labelSteps),
  anchor: z.number().min(0).default(d.anchor),
  perturbation: z.enum(["sticker", "noise"]).default(d.perturbation),
  stickerMin: count(1, d.stickerMin),
  stickerMax: count(1, d.stickerMax),
  placement: z.enum(["tournament", "step"]).default(d.placement),
  renewEvery: count(1, d.renewEvery),
  candidates: count(1, d.candidates),
  ascentSteps: count(1, d.ascentSteps),
  ascentRate: positive(d.ascentRate),
  noiseNorm: z.enum(["linf", "l2"]).default(d.noiseNorm),
  noiseRadius: positive(d.noiseRadius),
  sharePasses: z.boolean().default(d.sharePasses),
  vectorDtype: vectorDtypeSchema,
};

/** Strict schema of the settings, with the defaults. */
export const damOptionsSchema: z.ZodType<DamOptions> = z
  .strictObject(damOptionsShape)
  .refine(({ variant, referenceCompat }) => variant === "joint" || !referenceCompat, {
    path: ["referenceCompat"],
    message: 'false unless "variant" is "joint"',
  })
  .refine(({ stickerMin, stickerMax }) => stickerMin <= stickerMax, {
    path: ["stickerMax"],
    message: 'at least "stickerMin"',
  });
