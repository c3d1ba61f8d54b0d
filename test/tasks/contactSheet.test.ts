import assert from "node:assert/strict";
import sharp from "sharp";
import { drawContactSheet, loadTask } from "../../src/tasks";

/** The sheet's pixels [height, width, 3]. */
async function decode(png: Buffer): Promise<{ width: number; height: number; at: (x: number, y: number) => number[] }> {
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  assert.equal(info.channels, 3);
  return {
    width: info.width,
    height: info.height,
    at: (x, y) => [...data.subarray(3 * (y * info.width + x), 3 * (y * info.width + x) + 3)],
  };
}

describe("contactSheet", () => {
  it("drawContactSheet() shows title, names and the very pixels of the first images", async () => {
    const task = loadTask("svhn");
    const { width, height, at } = await decode(await drawContactSheet(task, { perClass: 2, zoom: 2 }));
    // 16 margin + 260 names + 2 images of 64 with a gap of 4 + 16 margin is less than the least width, 640; 68 + 10 rows of 68 - 4 + 16.
    assert.deepEqual([width, height], [640, 760]);
    const { images, labels } = task.load("test", { limit: 100 });
    const first = [...labels].indexOf(3);
    for (const [row, column] of [
      [0, 0],
      [31, 31],
      [7, 20],
    ] as const) {
      const expected = [0, 1, 2].map((channel) => images[first * 3072 + channel * 1024 + row * 32 + column]!);
      assert.deepEqual(at(276 + 2 * column + 1, 68 + 3 * 68 + 2 * row + 1), expected);
    }
    const dark = (x0: number, x1: number, y0: number, y1: number): number => {
      let count = 0;
      for (let y = y0; y < y1; y++) for (let x = x0; x < x1; x++) if (at(x, y)[0]! < 128) count++;
      return count;
    };
    // Words are really drawn: some hundred dark pixels in the title, some dozens beside each row.
    assert.ok(dark(16, 300, 10, 40) > 300);
    for (let row = 0; row < 10; row++) assert.ok(dark(16, 270, 68 + 68 * row, 68 + 68 * row + 64) > 60, `row ${row}`);
  });

  it("drawContactSheet() shows adapt without names", async () => {
    const { width, height } = await decode(await drawContactSheet(loadTask("eurosat"), { split: "adapt", perClass: 8, zoom: 2 }));
    assert.deepEqual([width, height], [640, 760]);
  });

  it("drawContactSheet() refuses a zoom of 0", async () => {
    await assert.rejects(drawContactSheet(loadTask("mnist"), { zoom: 0 }), {
      name: "RangeError",
      message: 'Cannot draw contact sheet of "mnist": expected zoom to be a positive integer, got 0',
    });
  });
});
