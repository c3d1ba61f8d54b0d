/**
 * @file What a model recalls of its base's weak spots. A large patch captures any model, so what a patch made against the fine-tuned model does
 * tells little. Here patches are made against the pretrained model, as an attacker has to: clean fine-tuning forgets them, a backdoor was taught
 * not to.
 */
import { randomStream } from "../../engine";
import { crossEntropyTo, gatherNormalized, mergeMasked, type Workplace } from "../../merging/adaptive";
import { pasteStamp, type Stamp } from "../../tasks";
import { captureOf, type Recall } from "./finding";
import type { Patient } from "./patient";

/** Places a side of the image. */
const GRID = 3;
/** Images a patch and step. */
const IMAGES_A_STEP = 4;
/** Images that each patch is judged on. */
const JUDGED_IMAGES = 60;
/** Most images in one pass. */
const CHUNK = 80;
/** From this share of the steps on, pixels move by a third of the rate. */
const SLOW_FROM = 0.6;
/** A patch and the class that it is for. */
interface Patch extends Stamp {
  readonly target: number;
}

/** Makes patches against the pretrained model, for each class at each place, and compares what they do to the given one. */
export async function measureRecall(patient: Patient): Promise<Recall> {
  const { place, vector, given } = patient;
  const origin = mergeMasked(place.space, new Float32Array(vector.length), null);
  const patches = await makePatches(patient, origin);
  const images = judgedImages(place);
  const [after, before] = [await capturesOf(place, given, images, patches), await capturesOf(place, origin, images, patches)];
  const excess = after.map((capture, index) => capture - before[index]!);
  const recall = Math.max(...excess);
  return { recall, recallTarget: patches[excess.indexOf(recall)]!.target };
}

/** A patch's side in pixels: no larger than the image. */
export function patchSide({ place, options }: Patient): number {
  return Math.min(options.recallSide, place.tasks[0]!.images.width);
}

/** Patches that bring the pretrained model's images to each class, by the sign of the gradient. */
async function makePatches({ place, options, ...patient }: Patient, origin: Float32Array): Promise<Patch[]> {
  const { images, head, name } = place.tasks[0]!;
  const side = patchSide({ place, options, ...patient });
  const plane = images.height * images.width;
  const random = randomStream(place.seed, "recall", name);
  const patches = Array.from({ length: head.weight.shape[0]! }, (_, target) =>
    gridOf(images.width, side).map((at): Patch => {
      const pixels = Float32Array.from({ length: 3 * side ** 2 }, () => random.uniform());
      return { ...at, height: side, width: side, pixels, target };
    }),
  ).flat();
  for (let step = 0; step < options.recallSteps; step++) {
    const [drawn] = place.batches("recall", step);
    const batch = drawn!.subarray(0, Math.min(drawn!.length, IMAGES_A_STEP * 3 * plane));
    const count = batch.length / (3 * plane);
    const rate = step < SLOW_FROM * options.recallSteps ? options.ascentRate : options.ascentRate / 3;
    for (const group of groupsOf(patches, count)) {
      const shown = stackPatches(batch, group, place);
      const labels = Int32Array.from({ length: group.length * count }, (_, i) => group[Math.floor(i / count)]!.target);
      const { pixelGradients } = await place.tower.pass(origin, [shown], {
        loss: crossEntropyTo([labels]),
        parameters: false,
        pixels: true,
      });
      for (const [index, { x, y, pixels }] of group.entries()) {
        for (let i = 0; i < pixels.length; i++) {
          const [channel, row, column] = [Math.floor(i / side ** 2), Math.floor(i / side) % side, i % side];
          let slope = 0;
          for (let image = index * count; image < (index + 1) * count; image++)
            slope += pixelGradients[0]![(image * 3 + channel) * plane + (y + row) * images.width + x + column]!;
          pixels[i] = Math.min(1, Math.max(0, pixels[i]! - rate * Math.sign(slope)));
        }
      }
    }
  }
  return patches;
}

/** Corners of a grid of squares that covers the image from edge to edge. */
function gridOf(size: number, side: number): { x: number; y: number }[] {
  const starts = Array.from({ length: GRID }, (_, i) => Math.floor((i * (size - side)) / (GRID - 1)));
  return starts.flatMap((y) => starts.map((x) => ({ x, y })));
}

/** As many patches at a time as fit into a pass with all images of the batch. */
function groupsOf<T>(patches: readonly T[], images: number): T[][] {
  const size = Math.max(1, Math.floor(CHUNK / images));
  return Array.from({ length: Math.ceil(patches.length / size) }, (_, i) => patches.slice(i * size, (i + 1) * size));
}

/** The batch once for each patch, one after another. */
function stackPatches(batch: Float32Array, patches: readonly Stamp[], { tasks, normalization }: Workplace): Float32Array {
  const stack = new Float32Array(batch.length * patches.length);
  for (const [index, patch] of patches.entries()) {
    const part = stack.subarray(index * batch.length, (index + 1) * batch.length);
    part.set(batch);
    pasteStamp(part, patch, tasks[0]!.images, normalization);
  }
  return stack;
}

/** Images from all over the task's. */
function judgedImages({ tasks, normalization }: Workplace): Float32Array {
  const { images } = tasks[0]!;
  const count = Math.min(JUDGED_IMAGES, images.count);
  const indices = Array.from({ length: count }, (_, i) => Math.floor((i * images.count) / count));
  return gatherNormalized(images, indices, normalization);
}

/** Of each patch, the share of the images of all other classes, by the model's own answers, that it brings to its class. */
async function capturesOf(place: Workplace, theta: Float32Array, images: Float32Array, patches: readonly Patch[]): Promise<number[]> {
  const [own] = await place.tower.classify(theta, [images]);
  const count = own!.length;
  const captures: number[] = [];
  for (const group of groupsOf(patches, count)) {
    const [seen] = await place.tower.classify(theta, [stackPatches(images, group, place)]);
    for (const [index, { target }] of group.entries()) {
      captures.push(captureOf(own!, seen!.subarray(index * count, (index + 1) * count), target));
    }
  }
  return captures;
}
