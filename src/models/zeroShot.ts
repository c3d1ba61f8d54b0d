/** Zero-shot heads: one frozen direction a class, made from text (CLIP) or by pre-training (the desk suite). */
import * as tf from "@tensorflow/tfjs-core";
import { openSafetensors, writeSafetensors, type HostTensor } from "../checkpoints";
import { cosineLogits } from "./classLogits";

/** A frozen head; logits = exp(logitScale) · cosine of embedding and class direction. */
export interface ZeroShotHead {
  /** Class directions [classes, dim], unit rows. */
  readonly weight: HostTensor;
  readonly logitScale: number;
}

/**
 * Logits of a head: exp(logitScale) · cosine of each embedding with each class direction. Differentiable in the embeddings.
 * @param embeddings [batch, dim]; need not be normalised.
 * @returns [batch, classes]; owned by the caller.
 * @throws {TypeError} if the head is for embeddings of another size.
 */
export function classLogits(embeddings: tf.Tensor2D, { weight, logitScale }: ZeroShotHead): tf.Tensor2D {
  const [classes, dim] = weight.shape;
  if (weight.shape.length !== 2 || embeddings.rank !== 2 || embeddings.shape[1] !== dim) {
    throw new TypeError(`Cannot compute class logits: head [${weight.shape}] does not fit embeddings [${embeddings.shape}]`);
  }
  return tf.tidy(() => cosineLogits(embeddings, tf.tensor2d(weight.values, [classes!, dim!]), Math.exp(logitScale)));
}

/** How far a row's norm may be from 1. */
const NORM_TOLERANCE = 1e-3;

/**
 * Reads a head from a safetensors file: `weight` F32 [classes, dim] and `logit_scale` F32 [].
 * @throws {TypeError} if a tensor has another shape.
 * @throws {SafetensorsError} if the file is malformed.
 * @throws {RangeError} if a row of `weight` is not of length 1, or a tensor is missing.
 */
export async function loadZeroShotHead(file: string): Promise<ZeroShotHead> {
  const source = await openSafetensors(file);
  try {
    const weight = await source.readFloat32("weight");
    const scale = await source.readFloat32("logit_scale");
    if (scale.values.length !== 1) {
      throw new TypeError(`Cannot read head "${file}": expected tensor "logit_scale" to be one number, got shape [${scale.shape}]`);
    }
    const head = { weight, logitScale: scale.values[0]! };
    checkZeroShotHead(head, `Cannot read head "${file}"`);
    return head;
  } finally {
    await source.close();
  }
}

/** Writes a head, atomically, as `loadZeroShotHead` reads it. */
export async function saveZeroShotHead(file: string, head: ZeroShotHead): Promise<void> {
  checkZeroShotHead(head, `Cannot write head "${file}"`);
  await writeSafetensors(file, [
    { name: "weight", ...head.weight },
    { name: "logit_scale", shape: [], values: Float32Array.of(head.logitScale) },
  ]);
}

function checkZeroShotHead({ weight, logitScale }: ZeroShotHead, action: string): void {
  if (weight.shape.length !== 2) throw new TypeError(`${action}: expected tensor "weight" of shape [classes, dim], got [${weight.shape}]`);
  if (weight.values.length !== weight.shape[0]! * weight.shape[1]!) {
    throw new TypeError(`${action}: expected ${weight.shape.join(" x ")} values in tensor "weight", got ${weight.values.length}`);
  }
  if (!Number.isFinite(logitScale)) throw new RangeError(`${action}: expected a finite "logit_scale", got ${logitScale}`);
  const [classes, dim] = weight.shape as [number, number];
  for (let row = 0; row < classes; row++) {
    const norm = Math.sqrt(weight.values.subarray(row * dim, (row + 1) * dim).reduce((sum, value) => sum + value * value, 0));
    if (!(Math.abs(norm - 1) < NORM_TOLERANCE)) {
      throw new RangeError(`${action}: expected unit rows in tensor "weight", got row ${row} of length ${norm}`);
    }
  }
}
