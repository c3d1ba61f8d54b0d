import * as tf from "@tensorflow/tfjs-core";
import { defineFusedKernel } from "./fusedKernel";

/**
 * Cuts images into square patches, one row a patch: rows run over images, then patch rows, then patch columns; columns over channels, pixel
 * rows, pixel columns, which is the layout of a flattened convolution kernel.
 * @param pixels [batch, channels, height, width]
 * @param patchSize Pixels a side; divides height and width.
 * @returns [batch · (height / patchSize) · (width / patchSize), channels · patchSize²]
 * @throws {TypeError} if the image is not a whole number of patches.
 */
export function cutPatches(pixels: tf.Tensor4D, patchSize: number): tf.Tensor2D {
  const [, , height, width] = pixels.shape;
  if (height % patchSize !== 0 || width % patchSize !== 0) {
    throw new TypeError(
      `Cannot cut images of [${height}, ${width}] pixels into patches of ${patchSize}: expected multiples of ${patchSize}`,
    );
  }
  return cut([pixels], { patchSize })[0] as tf.Tensor2D;
}

const cut = defineFusedKernel({
  name: "DamlabCutPatches",
  outputShapes: ([shape], { patchSize }) => {
    const [batch, channels, height, width] = shape as [number, number, number, number];
    return [[batch * (height / patchSize!) * (width / patchSize!), channels * patchSize! ** 2]];
  },
  loop: ([pixels], [patches], [shape], { patchSize }) => {
    let out = 0;
    visitPatchRows(shape!, patchSize!, (offset) => {
      for (let i = 0; i < patchSize!; i++) patches![out++] = pixels![offset + i]!;
    });
  },
  compose: ([pixels], { patchSize }) => {
    const [batch, channels, height, width] = pixels!.shape as [number, number, number, number];
    const [rows, columns] = [height / patchSize!, width / patchSize!];
    const split = tf.reshape(pixels!, [batch * channels, rows, patchSize!, columns * patchSize!]);
    const grid = tf.transpose(tf.reshape(split, [batch * channels * rows, patchSize!, columns, patchSize!]), [0, 2, 1, 3]);
    const perChannel = tf.reshape(grid, [batch, channels, rows * columns, patchSize! ** 2]);
    return [tf.reshape(tf.transpose(perChannel, [0, 2, 1, 3]), [batch * rows * columns, channels * patchSize! ** 2])];
  },
  gradient: {
    backward: ([dy], [pixels], _, attributes) => {
      const [batch, channels, height, width] = pixels!.shape as [number, number, number, number];
      return [() => paste([dy!], { ...attributes, batch, channels, height, width })[0]!];
    },
  },
});

/** Puts patches back where `cut` took them from. */
const paste = defineFusedKernel({
  name: "DamlabPastePatches",
  outputShapes: (_, { batch, channels, height, width }) => [[batch!, channels!, height!, width!]],
  loop: ([patches], [pixels], _, { patchSize, batch, channels, height, width }) => {
    let from = 0;
    visitPatchRows([batch!, channels!, height!, width!], patchSize!, (offset) => {
      for (let i = 0; i < patchSize!; i++) pixels![offset + i] = patches![from++]!;
    });
  },
  compose: ([patches], { patchSize, batch, channels, height, width }) => {
    const [rows, columns] = [height! / patchSize!, width! / patchSize!];
    const perChannel = tf.transpose(tf.reshape(patches!, [batch!, rows * columns, channels!, patchSize! ** 2]), [0, 2, 1, 3]);
    const grid = tf.reshape(perChannel, [batch! * channels! * rows, columns, patchSize!, patchSize!]);
    return [tf.reshape(tf.transpose(grid, [0, 2, 1, 3]), [batch!, channels!, height!, width!])];
  },
});

function visitPatchRows(shape: readonly number[], patchSize: number, visit: (offset: number) => void): void {
  const [batch, channels, height, width] = shape as [number, number, number, number];
  for (let image = 0; image < batch; image++) {
    for (let top = 0; top < height; top += patchSize) {
      for (let left = 0; left < width; left += patchSize) {
        for (let channel = 0; channel < channels; channel++) {
          for (let row = 0; row < patchSize; row++) visit(((image * channels + channel) * height + top + row) * width + left);
        }
      }
    }
  }
}
