/** One pass of some images through the merged tower and the tasks' heads; all of it plain data, for this thread or another. */
import * as tf from "@tensorflow/tfjs-core";
import type { NamedTensors } from "../../checkpoints";
import { addVector, downloadInto, valueAndGradients, withPlainLoops } from "../../engine";
import { cosineLogits, embedImages, uploadParameters, type VisionConfig, type ZeroShotHead } from "../../models";
import { vectorLength, type ParameterLayout } from "../../training";
import { computeLoss, imageCrossEntropy, type TaskLoss } from "./losses";

/** What does not change from pass to pass. */
export interface TowerParts {
  readonly config: VisionConfig;
  readonly layout: ParameterLayout;
  /** Parameters that are not merged. */
  readonly frozen: NamedTensors;
  /** One a task. */
  readonly heads: readonly ZeroShotHead[];
  /** Whether sums are to be float64 on engine `wasm`, too; see `withPlainLoops`. */
  readonly plainLoops: boolean;
}

/** What is asked of a pass beside the loss. */
export interface PassRequest {
  readonly loss: TaskLoss;
  /** Whether G = ∂L/∂θ is wanted; default true. */
  readonly parameters?: boolean;
  /** Whether ∂L/∂pixels is wanted; default false. */
  readonly pixels?: boolean;
  /** Whether the cross-entropy of each image to its label is wanted; default false. */
  readonly imageLosses?: boolean;
  /** Factor of each task's loss; default 1. */
  readonly shares?: readonly number[];
}

/** What a pass found. */
export interface PassResult {
  /** Sum of the tasks' losses. */
  readonly loss: number;
  /** G on the merged parameters; empty if it was not wanted. */
  readonly gradient: Float32Array;
  /** ∂L/∂pixels of each task's batch, shaped as the batch; empty if it was not wanted. */
  readonly pixelGradients: readonly Float32Array[];
  /** Cross-entropy of each image to its label, task by task; empty if it was not wanted. */
  readonly imageLosses: readonly Float32Array[];
}

/** One forward and backward pass of all batches together. */
export function computePass(parts: TowerParts, theta: Float32Array, batches: readonly Float32Array[], request: PassRequest): PassResult {
  return computePasses(parts, theta, [{ batches, request }]);
}

/**
 * Passes of several pieces one after another, and the sum of what they found; θ goes to the engine once.
 * @param room Memory for G, of θ's length; new by default.
 */
export function computePasses(
  parts: TowerParts,
  theta: Float32Array,
  pieces: readonly { readonly batches: readonly Float32Array[]; readonly request: PassRequest }[],
  room?: Float32Array,
): PassResult {
  const wanted = pieces[0]!.request.parameters !== false;
  const gradient = wanted ? (room ?? new Float32Array(vectorLength(parts.layout))) : new Float32Array(0);
  const found = withTower(parts, theta, (tower) =>
    pieces.map(({ batches, request }, index) => passPiece(parts, tower, batches, request, { gradient, add: index > 0 })),
  );
  return { ...sumResults(found), gradient };
}

function passPiece(
  parts: TowerParts,
  { merged, frozen, directions }: Tower,
  batches: readonly Float32Array[],
  { loss, pixels = false, imageLosses = false, shares }: PassRequest,
  { gradient, add }: { readonly gradient: Float32Array; readonly add: boolean },
): Omit<PassResult, "gradient"> {
  const input = uploadImages(parts, batches);
  const wanted = new Map<string, tf.Tensor>(gradient.length > 0 ? merged : []);
  if (pixels) wanted.set(PIXELS, input);
  const kept: tf.Tensor2D[] = [];
  const total = (): tf.Scalar =>
    taskLogits(parts, { merged, frozen, directions }, input, batches)
      .map((logits, task) => {
        if (imageLosses) kept.push(tf.keep(logits));
        return tf.mul(computeLoss(loss, logits, task), shares?.[task] ?? 1) as tf.Scalar;
      })
      .reduce((sum, next) => tf.add(sum, next));
  const slots = new Map(parts.layout.map((slot) => [slot.name, slot]));
  let pixelGradient: Float32Array | undefined;
  const { value } = valueAndGradients(total, wanted, (name, found) => {
    const slot = slots.get(name);
    if (!slot) pixelGradient = found.dataSync() as Float32Array;
    else if (add) addVector(gradient.subarray(slot.start, slot.end), 1, found.dataSync() as Float32Array);
    else downloadInto(found, gradient.subarray(slot.start, slot.end));
  });
  const found = {
    loss: value.dataSync()[0]!,
    pixelGradients: pixelGradient ? cut(pixelGradient, batches) : [],
    imageLosses: kept.map((logits, task) => imageCrossEntropy(logits.dataSync() as Float32Array, logits.shape[1], loss.labels![task]!)),
  };
  tf.dispose([input, value, ...kept]);
  return found;
}

/** The sum of the pieces, in their order; of gradients, in the first one's. */
export function addResults(pieces: readonly PassResult[]): PassResult {
  const [first, ...others] = pieces as [PassResult, ...PassResult[]];
  for (const { gradient } of others) addVector(first.gradient, 1, gradient);
  return { ...sumResults(pieces), gradient: first.gradient };
}

function sumResults(pieces: readonly Omit<PassResult, "gradient">[]): Omit<PassResult, "gradient"> {
  const [first, ...others] = pieces as [PassResult, ...PassResult[]];
  if (others.length === 0) return first;
  return {
    loss: pieces.reduce((sum, { loss }) => sum + loss, 0),
    pixelGradients: first.pixelGradients.map((_, task) => joinArrays(pieces.map(({ pixelGradients }) => pixelGradients[task]!))),
    imageLosses: first.imageLosses.map((_, task) => joinArrays(pieces.map(({ imageLosses }) => imageLosses[task]!))),
  };
}

/** Most likely class of each image, task by task. */
export function computeClasses(parts: TowerParts, theta: Float32Array, batches: readonly Float32Array[]): Int32Array[] {
  return classifyPieces(parts, theta, [batches])[0]!;
}

/** `computeClasses` of several pieces; θ goes to the engine once. */
export function classifyPieces(parts: TowerParts, theta: Float32Array, pieces: readonly (readonly Float32Array[])[]): Int32Array[][] {
  return withTower(parts, theta, (tower) =>
    pieces.map((batches) => {
      const input = uploadImages(parts, batches);
      const classes = tf.tidy(() => taskLogits(parts, tower, input, batches).map((logits) => tf.argMax(logits, 1)));
      const values = classes.map((tensor) => Int32Array.from(tensor.dataSync()));
      tf.dispose([input, ...classes]);
      return values;
    }),
  );
}

const PIXELS = "pixels";

interface Tower {
  readonly merged: ReadonlyMap<string, tf.Tensor>;
  readonly frozen: ReadonlyMap<string, tf.Tensor>;
  readonly directions: readonly tf.Tensor2D[];
}

/** Brings the tower to the running engine and disposes it afterwards. */
function withTower<Result>(parts: TowerParts, theta: Float32Array, use: (tower: Tower) => Result): Result {
  const tower: Tower = {
    // Views: nothing changes θ while the tower lives.
    merged: new Map(
      parts.layout.map(({ name, shape, start, end }) => [name, tf.tensor(theta.subarray(start, end), [...shape], "float32")]),
    ),
    frozen: uploadParameters(parts.frozen),
    directions: parts.heads.map(({ weight }) => tf.tensor2d(weight.values, [weight.shape[0]!, weight.shape[1]!])),
  };
  try {
    return withPlainLoops(parts.plainLoops, () => use(tower));
  } finally {
    tf.dispose([...tower.merged.values(), ...tower.frozen.values(), ...tower.directions]);
  }
}

function uploadImages(parts: TowerParts, batches: readonly Float32Array[]): tf.Tensor4D {
  const pixels = batches.length === 1 ? batches[0]! : joinArrays(batches);
  return tf.tensor4d(pixels, [imagesIn(pixels, parts), 3, parts.config.imageSize, parts.config.imageSize]);
}

function taskLogits(
  parts: TowerParts,
  { merged, frozen, directions }: Tower,
  input: tf.Tensor4D,
  batches: readonly Float32Array[],
): tf.Tensor2D[] {
  const embeddings = embedImages(new Map([...frozen, ...merged]), parts.config, input);
  let start = 0;
  return directions.map((rows, task) => {
    const count = imagesIn(batches[task]!, parts);
    const own = tf.slice(embeddings, [start, 0], [count, -1]);
    start += count;
    return cosineLogits(own, rows, Math.exp(parts.heads[task]!.logitScale));
  });
}

/** How many images some pixels are. */
export function imagesIn(pixels: Float32Array, { config }: TowerParts): number {
  return pixels.length / (3 * config.imageSize ** 2);
}

/** Arrays one after another. */
export function joinArrays(arrays: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let start = 0;
  for (const array of arrays) {
    joined.set(array, start);
    start += array.length;
  }
  return joined;
}

function cut(values: Float32Array, batches: readonly Float32Array[]): Float32Array[] {
  let start = 0;
  return batches.map((batch) => values.slice(start, (start += batch.length)));
}
