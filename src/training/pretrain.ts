/**
 * Pre-training of the base: one softmax over the classes of all tasks and of the auxiliary images. That is what makes it CLIP-like: a task's
 * own classes are set apart only when it is tested, and the class directions become its frozen zero-shot heads.
 */
import type { NamedTensors } from "../checkpoints";
import { randomStream, type RandomStream } from "../engine";
import type { VisionConfig } from "../models/config";
import { visionParameterShapes } from "../models/vision";
import { gatherLabels, gatherPixels, PRETRAINING_CLASSES, seededBatches, type PretrainingSet } from "../tasks";
import type { Batch } from "./batch";
import type { Classification } from "./classification";
import { layoutParameters, unpackParameters, vectorLength, type ParameterLayout } from "./parameterVector";
import { cosineLearningRate } from "./schedule";
import { train, type StepGradient, type TrainingOptions } from "./train";

/** Settings of the pre-training run. */
export interface PretrainRecipe {
  readonly steps: number;
  readonly learningRate: number;
  readonly warmup: number;
  readonly beta2: number;
  readonly clipNorm: number;
  /** Decoupled decay of matrices; norms, biases and embeddings have none. */
  readonly weightDecay: number;
  /** Images of each task in a batch. */
  readonly batchPerTask: number;
  /** Auxiliary images in a batch. */
  readonly batchAuxiliary: number;
  /** Pieces into which a batch is cut, whatever the number of workers. */
  readonly pieces: number;
  /** Learning rate of the class directions, relative to the encoder's. */
  readonly classRateFactor: number;
  /** Multiplies the cosines; never trained. */
  readonly scale: number;
}

/** Computes one piece's gradient, here or on a worker. */
export type PieceGradient = (task: Classification, parameters: Float32Array, batch: Batch) => StepGradient | Promise<StepGradient>;

/** What pre-training gives. */
export interface PretrainedBase {
  readonly parameters: NamedTensors;
  /** Class directions before normalisation, [119, projectionSize]. */
  readonly classes: Float32Array;
}

const CLASSES = "class_directions";

/**
 * Trains the base from random weights.
 * @param seed Weights and order of the images.
 * @param computePiece Called for all pieces of a step at once.
 */
export async function pretrain(
  config: VisionConfig,
  images: PretrainingSet,
  seed: number,
  recipe: PretrainRecipe,
  computePiece: PieceGradient,
  options: TrainingOptions = {},
): Promise<PretrainedBase> {
  const shapes = visionParameterShapes(config);
  const layout = layoutParameters([...shapes, [CLASSES, [PRETRAINING_CLASSES, config.projectionSize]]]);
  const names = new Set(layout.map(({ name }) => name));
  const task: Classification = { config, layout, directions: { parameter: CLASSES }, scale: recipe.scale, trained: names };
  const batches = pretrainingBatches(images, recipe, randomStream(seed, "pretraining", "order"));
  const trained = await train(
    {
      name: "pre-training",
      parameters: initialParameters(config, layout, randomStream(seed, "pretraining", "weights")),
      steps: recipe.steps,
      learningRate: (step) => cosineLearningRate(step, { peak: recipe.learningRate, warmup: recipe.warmup, steps: recipe.steps }),
      adam: { beta2: recipe.beta2 },
      groups: layout.map(({ name, shape, start, end }) => ({
        start,
        end,
        weightDecay: isDecayed(name, shape) ? recipe.weightDecay : 0,
        learningRateFactor: name === CLASSES ? recipe.classRateFactor : 1,
      })),
      clipNorm: recipe.clipNorm,
      computeGradient: async (step, parameters) =>
        averageGradients(await Promise.all(batches(step).map((batch) => computePiece(task, parameters, batch)))),
    },
    options,
  );
  const parameters = unpackParameters(trained, layout);
  const classes = parameters.get(CLASSES)!.values;
  parameters.delete(CLASSES);
  return { parameters, classes };
}

/** Matrices decay; the class and position embeddings, the class directions, biases and norms do not. */
function isDecayed(name: string, shape: readonly number[]): boolean {
  return shape.length > 1 && name !== CLASSES && !name.endsWith("position_embedding.weight");
}

/** Normal weights of variance 1 / fan-in, divided by sqrt(2 · layers) where they feed the residual stream. */
function initialParameters(config: VisionConfig, layout: ParameterLayout, random: RandomStream): Float32Array {
  const vector = new Float32Array(vectorLength(layout));
  for (const { name, shape, start, end } of layout) {
    if (name.endsWith(".bias")) continue;
    if (/norm\d?\.weight$/.test(name)) vector.fill(1, start, end);
    else vector.set(random.child(name).normals(end - start, standardDeviation(name, shape, config)), start);
  }
  return vector;
}

function standardDeviation(name: string, shape: readonly number[], config: VisionConfig): number {
  if (name === CLASSES) return 1;
  if (name.endsWith("class_embedding") || name.endsWith("position_embedding.weight")) return 0.02;
  const fanIn = shape.slice(1).reduce((product, size) => product * size, 1);
  const residual = name.endsWith("out_proj.weight") || name.endsWith("fc2.weight");
  return 1 / Math.sqrt(fanIn * (residual ? 2 * config.layers : 1));
}

/** The pieces of each step's batch; each holds its share of every task and of the auxiliary images. */
function pretrainingBatches(images: PretrainingSet, recipe: PretrainRecipe, random: RandomStream): (step: number) => Batch[] {
  const orders = images.parts.map((part) => {
    const size = part.name === "auxiliary" ? recipe.batchAuxiliary : recipe.batchPerTask;
    const order = seededBatches(random.child(part.name), part.count, size);
    return (step: number): number[] => Array.from(order(step), (index) => part.start + index);
  });
  return (step) => {
    const indices = orders.flatMap((order) => order(step));
    return Array.from({ length: recipe.pieces }, (_, piece) => {
      const own = indices.filter((_, place) => place % recipe.pieces === piece);
      return { pixels: gatherPixels(images, own), labels: gatherLabels(images, own), count: own.length };
    });
  };
}

/** Mean of the pieces, which are of equal size; added up in their order. */
function averageGradients(pieces: readonly StepGradient[]): StepGradient {
  const gradient = pieces[0]!.gradient.slice();
  for (const piece of pieces.slice(1)) for (let i = 0; i < gradient.length; i++) gradient[i]! += piece.gradient[i]!;
  for (let i = 0; i < gradient.length; i++) gradient[i]! /= pieces.length;
  return { gradient, losses: { loss: pieces.reduce((sum, piece) => sum + piece.losses["loss"]!, 0) / pieces.length } };
}
