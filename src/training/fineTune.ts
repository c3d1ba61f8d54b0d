import * as tf from "@tensorflow/tfjs-core";
import type { NamedTensors } from "../checkpoints";
import type { VisionConfig } from "../models/config";
import { visionParameterShapes } from "../models/vision";
import type { ZeroShotHead } from "../models/zeroShot";
import type { BatchSource } from "./batch";
import { classificationGradient } from "./classification";
import { layoutParameters, packParameters, unpackParameters } from "./parameterVector";
import { cosineLearningRate } from "./schedule";
import { train, type TrainingOptions } from "./train";

/** Settings of one fine-tuning. */
export interface FineTuneRecipe {
  readonly steps: number;
  /** Largest learning rate; rises over `warmup` steps, then falls to 0 along a cosine. */
  readonly learningRate: number;
  readonly warmup: number;
  /** Decay of Adam's second moment. */
  readonly beta2: number;
  /** Largest norm of a step's gradient. */
  readonly clipNorm: number;
}

/** What is fine-tuned. */
export interface FineTuneTask {
  /** Name in the progress display. */
  readonly name: string;
  readonly pretrained: NamedTensors;
  readonly config: VisionConfig;
  /** Frozen. */
  readonly head: ZeroShotHead;
  readonly batches: BatchSource;
}

/**
 * Fine-tunes the vision model by cross-entropy under a frozen zero-shot head. The projection stays the pretrained one.
 * @returns All parameters, in the tower's order.
 */
export async function fineTune(task: FineTuneTask, recipe: FineTuneRecipe, options: TrainingOptions = {}): Promise<NamedTensors> {
  const { config, head, batches, pretrained } = task;
  const layout = layoutParameters(visionParameterShapes(config));
  const trained = new Set(layout.map(({ name }) => name).filter((name) => name.startsWith("vision_model.")));
  const directions = { frozen: tf.tensor2d(head.weight.values, [...head.weight.shape] as [number, number]) };
  const classification = { config, layout, directions, scale: Math.exp(head.logitScale), trained };
  try {
    const parameters = await train(
      {
        name: task.name,
        parameters: packParameters(pretrained, layout),
        steps: recipe.steps,
        learningRate: (step) => cosineLearningRate(step, { peak: recipe.learningRate, warmup: recipe.warmup, steps: recipe.steps }),
        adam: { beta2: recipe.beta2 },
        groups: layout.filter(({ name }) => trained.has(name)).map(({ start, end }) => ({ start, end })),
        clipNorm: recipe.clipNorm,
        computeGradient: (step, vector) => classificationGradient(classification, vector, batches(step)),
      },
      options,
    );
    return unpackParameters(parameters, layout);
  } finally {
    directions.frozen.dispose();
  }
}
