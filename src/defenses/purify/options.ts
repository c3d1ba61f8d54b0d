/** Settings of purification. */
import { z } from "zod";
import { ADAMERGING_DEFAULTS, type CoefficientGranularity, type MaskGranularity } from "../../merging/adaptive";

/** Settings of purification; see `PURIFY_DEFAULTS`. */
export interface PurifyOptions {
  /** Ascent steps of the stickers against each model as it was given. */
  readonly inspectSteps: number;
  /** A model is a suspect if one sticker captures at least this much more of it than of the pretrained model, in (0, 1]. */
  readonly suspectExcess: number;
  /** Or if a sticker captures at least this much more than a plain rectangle in its stead does, in (0, 1]; 1: this is not asked. */
  readonly suspectOverPlain: number;
  /** Whose task vectors are purged. */
  readonly purge: "all" | "suspects";
  /** Steps of purging, each model for itself. */
  readonly purgeSteps: number;
  /** α, the weight of the loss under stickers, at least 0. */
  readonly alpha: number;
  /** Images a pass while one model is at work. */
  readonly purgeBatchSize: number;
  /** Adam's, on the gates' logits. */
  readonly maskLearningRate: number;
  /** Z before the first step. */
  readonly initialLogit: number;
  /** T. */
  readonly temperature: number;
  /** What one gate governs. */
  readonly granularity: MaskGranularity;
  /** Smallest side of a sticker in pixels. */
  readonly stickerMin: number;
  /** Largest side. */
  readonly stickerMax: number;
  /** Stickers a model. */
  readonly candidates: number;
  /** Ascent steps between two renewals of the lesser half. */
  readonly renewEvery: number;
  /** Ascent steps before each update of the gates. */
  readonly ascentSteps: number;
  /** Length of an ascent step; pixels are in [0, 1]. */
  readonly ascentRate: number;
  /** Steps of AdaMerging on the purified task vectors; 0: Task Arithmetic at `initialCoefficient`. */
  readonly mergeSteps: number;
  /** Images a task and step of AdaMerging. */
  readonly batchSize: number;
  /** Adam's, on λ. */
  readonly learningRate: number;
  /** One λ a task and tensor, or one a task. */
  readonly coefficients: CoefficientGranularity;
  /** λ before the first step. */
  readonly initialCoefficient: number;
}

/** Defaults, chosen on development triggers and validation images of the desk suite (docs/purification.md). */
export const PURIFY_DEFAULTS: PurifyOptions = {
  inspectSteps: 60,
  suspectExcess: 0.65,
  suspectOverPlain: 1,
  purge: "suspects",
  purgeSteps: 100,
  alpha: 1,
  purgeBatchSize: 16,
  maskLearningRate: 0.15,
  initialLogit: 1,
  temperature: 0.5,
  granularity: "weight",
  stickerMin: 4,
  stickerMax: 7,
  candidates: 8,
  renewEvery: 15,
  ascentSteps: 3,
  ascentRate: 0.1,
  mergeSteps: 100,
  batchSize: ADAMERGING_DEFAULTS.batchSize,
  learningRate: ADAMERGING_DEFAULTS.learningRate,
  coefficients: "layer",
  initialCoefficient: 0.2,
};

/** One line about each setting, for help and documentation. */
export const PURIFY_OPTION_TEXTS: Readonly<Record<keyof PurifyOptions, string>> = {
  inspectSteps: "ascent steps of the stickers against each model as it was given",
  suspectExcess:
    "a model is a suspect if one sticker brings at least this share more of its images to one class than of the pretrained model's",
  suspectOverPlain:
    "or if its excess, less that of plain rectangles in the sticker's stead, is at least this share (docs/purification.md, Large triggers); 1: not asked",
  purge: "whose task vectors are purged",
  purgeSteps: "steps of purging, each model for itself",
  alpha: "α, the weight of the loss under stickers",
  purgeBatchSize: "images a pass while one model is at work",
  maskLearningRate: "Adam's, on the gates' logits",
  initialLogit: "the gates' logits Z before the first step",
  temperature: "T of the gates sigmoid(Z / T)",
  granularity: "what one gate governs",
  stickerMin: "smallest side of a sticker in pixels",
  stickerMax: "largest side of a sticker in pixels",
  candidates: "stickers a model; a batch's images are dealt out to them",
  renewEvery: "ascent steps between two renewals of the stickers' lesser half",
  ascentSteps: "ascent steps before each update of the gates",
  ascentRate: "length of an ascent step; pixels are in [0, 1]",
  mergeSteps: "steps of AdaMerging on the purified task vectors; 0: Task Arithmetic at initialCoefficient",
  batchSize: "images a task and step of AdaMerging",
  learningRate: "Adam's, on λ",
  coefficients: "one λ a task and tensor, or one a task",
  initialCoefficient: "λ before the first step",
};

const d = PURIFY_DEFAULTS;
const count = (least: number, value: number) => z.number().int().min(least).default(value);
const positive = (value: number) => z.number().gt(0).default(value);

/** Schema of each setting, with its default. */
export const purifyOptionsShape = {
  inspectSteps: count(1, d.inspectSteps),
  suspectExcess: z.number().gt(0).max(1).default(d.suspectExcess),
  suspectOverPlain: z.number().gt(0).max(1).default(d.suspectOverPlain),
  purge: z.enum(["all", "suspects"]).default(d.purge),
  purgeSteps: count(0, d.purgeSteps),
  alpha: z.number().min(0).default(d.alpha),
  purgeBatchSize: count(1, d.purgeBatchSize),
  maskLearningRate: positive(d.maskLearningRate),
  initialLogit: z.number().default(d.initialLogit),
  temperature: positive(d.temperature),
  granularity: z.enum(["weight", "neuron", "head", "layer"]).default(d.granularity),
  stickerMin: count(1, d.stickerMin),
  stickerMax: count(1, d.stickerMax),
  candidates: count(1, d.candidates),
  renewEvery: count(1, d.renewEvery),
  ascentSteps: count(1, d.ascentSteps),
  ascentRate: positive(d.ascentRate),
  mergeSteps: count(0, d.mergeSteps),
  batchSize: count(1, d.batchSize),
  learningRate: positive(d.learningRate),
  coefficients: z.enum(["layer", "task"]).default(d.coefficients),
  initialCoefficient: z.number().default(d.initialCoefficient),
};

/** Strict schema of the settings, with the defaults. */
export const purifyOptionsSchema: z.ZodType<PurifyOptions> = z
  .strictObject(purifyOptionsShape)
  .refine(({ stickerMin, stickerMax }) => stickerMin <= stickerMax, { path: ["stickerMax"], message: 'at least "stickerMin"' })
  .refine(({ candidates, purgeBatchSize }) => candidates <= purgeBatchSize, {
    path: ["candidates"],
    message: 'at most "purgeBatchSize", so that each sticker is on an image',
  });
