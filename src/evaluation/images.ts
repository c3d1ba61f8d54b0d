import { CHANNELS, IMAGE_SIZE, loadTask, type ImageSet, type Split } from "../tasks";

/** A labelled split of a desk task, by name; drawing it takes half a second, so it is drawn where it is needed. */
export interface DeskImages {
  readonly task: string;
  readonly split: Exclude<Split, "adapt">;
  /** Images in the split, or fewer: those from its start. */
  readonly count: number;
  /** Memory that all threads share, made by `prepareImages()`: a flag, then images, then labels. */
  readonly shared?: SharedArrayBuffer;
}

/** The split of a desk task. */
export function deskImages(task: string, split: Exclude<Split, "adapt">, limit = Infinity): DeskImages {
  return { task, split, count: Math.min(limit, loadTask(task).splits[split]) };
}

const FLAG_BYTES = 8;
const shared = new Map<string, SharedArrayBuffer>();

/**
 * Makes images ready for other threads: a desk split gets memory in which the first thread that needs it leaves it for the others, for the
 * life of this process.
 */
export function prepareImages(images: ImageSet | DeskImages): ImageSet | DeskImages {
  if ("images" in images) return images;
  const { task, split, count } = images;
  const key = `${task}/${split}/${count}`;
  // A byte a pixel and channel, and one for the label.
  const memory = shared.get(key) ?? new SharedArrayBuffer(FLAG_BYTES + count * (BYTES_PER_IMAGE + 1));
  shared.set(key, memory);
  return { ...images, shared: memory };
}

const BYTES_PER_IMAGE = CHANNELS * IMAGE_SIZE * IMAGE_SIZE;

/** The images themselves; drawn unless some thread has drawn them before. */
export function loadImages(source: ImageSet | DeskImages): ImageSet {
  if ("images" in source) return source;
  const { task, split, count, shared: memory } = source;
  if (memory === undefined) return loadTask(task).load(split, { limit: count });
  const drawn = new Int32Array(memory, 0, 1);
  const images = new Uint8Array(memory, FLAG_BYTES, count * BYTES_PER_IMAGE);
  const labels = new Uint8Array(memory, FLAG_BYTES + count * BYTES_PER_IMAGE, count);
  if (Atomics.load(drawn, 0) === 0) {
    const set = loadTask(task).load(split, { limit: count });
    // Two threads may draw the same split at once: they write the same bytes.
    images.set(set.images.subarray(0, count * BYTES_PER_IMAGE));
    labels.set(set.labels.subarray(0, count));
    Atomics.store(drawn, 0, 1);
  }
  return { images, labels, count, channels: CHANNELS, height: IMAGE_SIZE, width: IMAGE_SIZE };
}
