/** @file What a defender can measure of a merged model: with unlabelled images, without the attacker's trigger. */
import { setImmediate as nextTurn } from "node:timers/promises";
import * as tf from "@tensorflow/tfjs-core";
import type { NamedTensors } from "../checkpoints";
import { keepStrongest, tournamentStickers } from "../dam";
import { randomStream } from "../engine";
import {
  AdaptationTower,
  createMergeSpace,
  crossEntropyTo,
  DESK_NORMALIZATION,
  drawBatches,
  gatherNormalized,
  type AdaptationTask,
} from "../merging/adaptive";
import {
  cosineLogits,
  disposeParameters,
  embedImages,
  uploadParameters,
  type Parameters,
  type VisionConfig,
  type ZeroShotHead,
} from "../models";
import type { DefenderView } from "./chooseAlpha";

/** How much a defender looks at. */
export interface ViewOptions {
  /** Images a task; default 160. */
  readonly images?: number;
  /** Ascent steps on the stickers; default 60. */
  readonly steps?: number;
  /** Ascent steps after which the half of a task's stickers that harms least gives way to new ones elsewhere; default 15. */
  readonly renewEvery?: number;
  /** Images a task and ascent step; default 16. */
  readonly batchSize?: number;
  /** Stickers a task; default 4. */
  readonly candidates?: number;
  /** Smallest and largest side of a sticker in pixels; default 4 and 7. */
  readonly sides?: readonly [number, number];
  /** Of batches, stickers and places; default 0. */
  readonly seed?: number;
  /** Listened to between steps. */
  readonly signal?: AbortSignal;
}

/** A candidate beside the merge that has no mask. */
export interface ViewedModels {
  readonly config: VisionConfig;
  readonly pretrained: NamedTensors;
  /** The defended merge. */
  readonly candidate: NamedTensors;
  /** The merge without masks, such as AdaMerging's. */
  readonly unmasked: NamedTensors;
  /** Without labels. */
  readonly tasks: readonly AdaptationTask[];
}

const CHUNK = 80;

/**
 * Entropy, agreement with the unmasked merge, and flips under each task's most harmful sticker of those that were newly synthesised against the
 * candidate: random starts, sides and places, and steps uphill on the cross-entropy to the unmasked merge's classes in a tournament like DAM's,
 * of other draws. The same models, tasks and seed give the same numbers, whatever α made the candidate.
 */
export async function measureDefenderView(
  { config, pretrained, candidate, unmasked, tasks }: ViewedModels,
  options: ViewOptions = {},
): Promise<DefenderView & { readonly images: number }> {
  const { images = 160, steps = 60, renewEvery = 15, batchSize = 16, candidates = 4, sides = [4, 7], seed = 0, signal } = options;
  const size = { stickerMin: sides[0], stickerMax: sides[1], candidates };
  const stickers = tournamentStickers(
    { ...size, ascentRate: 0.1, renewEvery },
    {
      tasks: tasks.map(({ name }) => name),
      seed: randomStream(seed, "defender's view").integer(2 ** 31),
      imageSize: config.imageSize,
      normalization: DESK_NORMALIZATION,
    },
  );
  const values = stickers.start();
  const space = createMergeSpace(pretrained, [candidate]);
  const tower = new AdaptationTower(
    config,
    space,
    tasks.map(({ head }) => head),
  );
  const [theta, reference] = [candidate, unmasked].map((model) => pack(space.layout, model)) as [Float32Array, Float32Array];
  const batches = drawBatches(tasks, batchSize, seed);
  for (let step = 0; step < steps; step++) {
    // Lets timers and signals have their turn.
    await nextTurn();
    signal?.throwIfAborted();
    const drawn = batches("view", step);
    const perturbed = stickers.apply(values, drawn, "view", step);
    const loss = crossEntropyTo(await tower.classify(reference, drawn));
    const found = await tower.pass(theta, perturbed, { loss, parameters: false, pixels: true, imageLosses: true });
    stickers.ascend(values, perturbed, found, "view", step);
  }
  const strongest = keepStrongest(values, size, tasks.length);
  return countView({ config, candidate, unmasked, tasks }, images, (batch, task, chunk) => {
    const alone = tasks.map((_, index) => (index === task ? batch : new Float32Array(0)));
    return stickers.apply(strongest, alone, "count", chunk)[task]!;
  });
}

function countView(
  { config, candidate, unmasked, tasks }: Omit<ViewedModels, "pretrained">,
  limit: number,
  perturb: (batch: Float32Array, task: number, chunk: number) => Float32Array,
): DefenderView & { readonly images: number } {
  const [mine, reference] = [uploadParameters(candidate), uploadParameters(unmasked)];
  const sums = { entropy: 0, agreement: 0, flips: 0, images: 0 };
  try {
    for (const [task, { head, images }] of tasks.entries()) {
      const count = Math.min(limit, images.count);
      const own = { entropy: 0, agreement: 0, flips: 0 };
      for (let start = 0, chunk = 0; start < count; start += CHUNK, chunk++) {
        const indices = Array.from({ length: Math.min(CHUNK, count - start) }, (_, index) => start + index);
        const batch = gatherNormalized(images, indices, DESK_NORMALIZATION);
        const clean = classify(mine, config, head, batch);
        const expected = classify(reference, config, head, batch).classes;
        const stuck = classify(mine, config, head, perturb(batch, task, chunk)).classes;
        own.entropy += clean.entropy;
        for (const index of indices.keys()) {
          if (clean.classes[index] === expected[index]) own.agreement++;
          if (clean.classes[index] !== stuck[index]) own.flips++;
        }
      }
      sums.images += count;
      for (const key of ["entropy", "agreement", "flips"] as const) sums[key] += own[key] / count / tasks.length;
    }
  } finally {
    disposeParameters(mine);
    disposeParameters(reference);
  }
  return sums;
}

/** Classes of some images, and the sum of their predictions' entropies in nats. */
function classify(
  parameters: Parameters,
  config: VisionConfig,
  { weight, logitScale }: ZeroShotHead,
  pixels: Float32Array,
): { classes: ArrayLike<number>; entropy: number } {
  const size = config.imageSize;
  const [classes, entropy] = tf.tidy(() => {
    const input = tf.tensor4d(pixels, [pixels.length / (3 * size * size), 3, size, size]);
    const directions = tf.tensor2d(weight.values, weight.shape as [number, number]);
    const logs = tf.logSoftmax(cosineLogits(embedImages(parameters, config, input), directions, Math.exp(logitScale)));
    return [tf.argMax(logs, 1), tf.neg(tf.sum(tf.mul(tf.exp(logs), logs)))] as const;
  });
  const found = { classes: classes.dataSync(), entropy: entropy.dataSync()[0]! };
  tf.dispose([classes, entropy]);
  return found;
}

function pack(
  layout: readonly { readonly name: string; readonly start: number; readonly end: number }[],
  model: NamedTensors,
): Float32Array {
  const packed = new Float32Array(layout.at(-1)!.end);
  for (const { name, start } of layout) packed.set(model.get(name)!.values, start);
  return packed;
}
