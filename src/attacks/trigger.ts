/** The attacker's pattern: what it is, how it is stamped on images, how it is kept in a file. */
import { openSafetensors, writeSafetensors } from "../checkpoints";
import { CHANNELS, pasteStamp, type Stamp } from "../tasks";

/** A stamp that makes a backdoored model answer the target class. */
export interface Trigger extends Stamp {
  /** `ATTACK/TASK-seedN`. */
  readonly name: string;
  /** Task whose classes `target` counts. */
  readonly task: string;
  /** Class that the attacker wants. */
  readonly target: number;
}

/**
 * Stamps a trigger on every image of a batch, in place.
 * @param pixels Model input [batch, 3, height, width], normalised as the desk suite's.
 * @param size Height and width of the images.
 * @throws {RangeError} if the trigger does not lie within the image.
 */
export function pasteTrigger(pixels: Float32Array, trigger: Trigger, size: { readonly height: number; readonly width: number }): void {
  const { x, y, height, width } = trigger;
  if (!(x >= 0 && y >= 0 && x + width <= size.width && y + height <= size.height)) {
    throw new RangeError(
      `Cannot paste trigger "${trigger.name}" of ${width}x${height} pixels at (${x}, ${y}): expected it within ${size.width}x${size.height}`,
    );
  }
  pasteStamp(pixels, trigger, size);
}

/** Indices of the images that an attack is judged on: those whose true class is not the target, or all. */
export function attackableImages(labels: ArrayLike<number>, target: number, includeTarget = false): number[] {
  return Array.from({ length: labels.length }, (_, index) => index).filter((index) => includeTarget || labels[index] !== target);
}

/** Writes the trigger's pixels as F32 [3, height, width] under the name `pixels`. */
export async function saveTrigger(file: string, trigger: Trigger): Promise<void> {
  await writeSafetensors(file, [{ name: "pixels", shape: [CHANNELS, trigger.height, trigger.width], values: trigger.pixels }]);
}

/**
 * Reads a trigger's pixels; the rest is written beside it in the zoo's list.
 * @throws {TypeError} if the tensor's shape is not that of `place`.
 * @throws {RangeError} if a pixel is not in [0, 1].
 */
export async function loadTriggerPixels(file: string, place: Omit<Trigger, "pixels">): Promise<Trigger> {
  const source = await openSafetensors(file);
  try {
    const { shape, values } = await source.readFloat32("pixels");
    const expected = [CHANNELS, place.height, place.width];
    if (shape.join() !== expected.join()) {
      throw new TypeError(`Cannot read trigger "${place.name}" from "${file}": expected pixels [${expected}], got [${shape}]`);
    }
    const outside = values.find((value) => !(value >= 0 && value <= 1));
    if (outside !== undefined) {
      throw new RangeError(`Cannot read trigger "${place.name}" from "${file}": expected pixels in [0, 1], got ${outside}`);
    }
    return { ...place, pixels: values };
  } finally {
    await source.close();
  }
}
