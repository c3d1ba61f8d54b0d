import type { Workplace } from "./adaptation";
import { gatherNormalized } from "./adaptationTask";

/** Most images of a task at once. */
const CHUNK = 80;

/** What the pixels of all tasks' images at once may take, in bytes; far above what desk images do. */
const MOST_PIXELS = 2 ** 27;

/**
 * Classes of all images, task by task; tasks with fewer images begin again while others go on.
 * @param theta The model's merged parameters, as `mergeMasked` gives them.
 * @param change What is done to each task's batch first, in place or not; default nothing.
 */
export async function classifyAll(
  { tasks, tower, normalization }: Workplace,
  theta: Float32Array,
  change: (batch: Float32Array, task: number) => Float32Array = (batch) => batch,
): Promise<Int32Array[]> {
  const classes = tasks.map(({ images }) => new Int32Array(images.count));
  const most = Math.max(...classes.map(({ length }) => length));
  const image = 4 * 3 * (tasks[0]?.images.height ?? 0) ** 2;
  const chunk = Math.max(1, Math.min(CHUNK, Math.floor(MOST_PIXELS / (image * tasks.length))));
  for (let start = 0; start < most; start += chunk) {
    const count = Math.min(chunk, most - start);
    const indices = classes.map(({ length }) => Uint32Array.from({ length: count }, (_, i) => (start + i) % length));
    const batches = tasks.map(({ images }, task) => change(gatherNormalized(images, indices[task]!, normalization), task));
    const found = await tower.classify(theta, batches);
    for (const [task, own] of indices.entries()) own.forEach((index, i) => (classes[task]![index] = found[task]![i]!));
  }
  return classes;
}
