/** The loss of both pre-training and fine-tuning: cross-entropy of cosine logits, with gradients for a parameter vector. */
import * as tf from "@tensorflow/tfjs-core";
import { valueAndGradients } from "../engine";
import { cosineLogits, crossEntropy, normalizeRows } from "../models/classLogits";
import { embedImages } from "../models/vision";
import type { VisionConfig } from "../models/config";
import type { Batch } from "./batch";
import { downloadGradients, uploadVector, type ParameterLayout } from "./parameterVector";
import type { StepGradient } from "./train";

/** The class directions of a loss: a frozen head, or a parameter of the layout that is normalised and trained. */
export type ClassDirections = { readonly frozen: tf.Tensor2D } | { readonly parameter: string };

/** What a step computes. */
export interface Classification {
  readonly config: VisionConfig;
  readonly layout: ParameterLayout;
  readonly directions: ClassDirections;
  /** Multiplies the cosines. */
  readonly scale: number;
  /** Names whose gradients are wanted. */
  readonly trained: ReadonlySet<string>;
}

/** Mean cross-entropy of a batch and its gradient by the parameter vector; parameters that are not trained get zeros. */
export function classificationGradient(task: Classification, parameters: Float32Array, batch: Batch): StepGradient {
  const uploaded = uploadVector(parameters, task.layout);
  const { imageSize } = task.config;
  const pixels = tf.tensor4d(batch.pixels, [batch.count, 3, imageSize, imageSize]);
  let targets: tf.Tensor2D | undefined;
  try {
    const loss = (): tf.Scalar => {
      const { directions } = task;
      const rows = "frozen" in directions ? directions.frozen : normalizeRows(uploaded.get(directions.parameter) as tf.Tensor2D);
      targets ??= tf.keep(oneHot(batch.labels, rows.shape[0]));
      return crossEntropy(cosineLogits(embedImages(uploaded, task.config, pixels), rows, task.scale), targets);
    };
    const { value, gradients } = valueAndGradients(loss, new Map([...uploaded].filter(([name]) => task.trained.has(name))));
    const step = { gradient: downloadGradients(gradients, task.layout), losses: { loss: value.dataSync()[0]! } };
    tf.dispose([value, ...gradients.values()]);
    return step;
  } finally {
    tf.dispose([...uploaded.values(), pixels, ...(targets ? [targets] : [])]);
  }
}

/**
 * Rows of zeros with a one at each label.
 * @throws {RangeError} if a label is not a class.
 */
export function oneHot(labels: Int32Array, classes: number): tf.Tensor2D {
  const rows = new Float32Array(labels.length * classes);
  labels.forEach((label, row) => {
    if (!(label >= 0 && label < classes)) throw new RangeError(`Cannot encode label ${label}: expected one of ${classes} classes`);
    rows[row * classes + label] = 1;
  });
  return tf.tensor2d(rows, [labels.length, classes]);
}
