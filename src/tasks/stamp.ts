import { CHANNELS, MEAN, STD } from "./images";

/** An opaque rectangle of pixels at its place in an image. */
export interface Stamp {
  /** Column of the rectangle's left edge in the image. */
  readonly x: number;
  /** Row of its top edge. */
  readonly y: number;
  readonly height: number;
  readonly width: number;
  /** [3, height, width], in [0, 1], channel-major. */
  readonly pixels: Float32Array;
}

/**
 * Puts a stamp on every image of a batch, in place.
 * @param batch Model input [batch, 3, height, width].
 * @param size Height and width of the images; the stamp lies within them.
 * @param normalization The batch's, channel by channel; default: the desk suite's.
 */
export function pasteStamp(
  batch: Float32Array,
  { x, y, height, width, pixels }: Stamp,
  size: { readonly height: number; readonly width: number },
  { mean, std }: { readonly mean: readonly number[]; readonly std: readonly number[] } = DESK,
): void {
  const plane = size.height * size.width;
  for (let image = 0; image < batch.length; image += CHANNELS * plane) {
    for (let channel = 0; channel < CHANNELS; channel++) {
      for (let row = 0; row < height; row++) {
        const to = image + channel * plane + (y + row) * size.width + x;
        const from = (channel * height + row) * width;
        for (let column = 0; column < width; column++) batch[to + column] = (pixels[from + column]! - mean[channel]!) / std[channel]!;
      }
    }
  }
}

const DESK = { mean: [MEAN, MEAN, MEAN], std: [STD, STD, STD] };
