import assert from "node:assert/strict";
import { randomStream } from "../../src/engine/random";
import { addNoise, flat, frame, paint, PIXELS, within, writeBytes } from "../../src/tasks/canvas";
import { fractalNoise, valueNoise } from "../../src/tasks/noise";
import { both, box, convex, disc, outline, repeated, stroke } from "../../src/tasks/shapes";

describe("shapes", () => {
  it("disc(), box(), stroke() and convex() measure signed distances", () => {
    assert.equal(disc(1, 2, 3)(1, 2), -3);
    assert.equal(disc(1, 2, 3)(1, 7), 2);
    assert.equal(box(0, 0, 4, 2)(5, 0), 1);
    assert.equal(box(0, 0, 4, 2)(0, 0), -2);
    // 3-4-5: the point (7, 4) is 5 from the end (4, 0).
    assert.equal(stroke([[0, 0], [4, 0]], 1)(7, 4), 4); // prettier-ignore
    assert.equal(convex([[0, 0], [4, 0], [4, 4], [0, 4]])(2, -3), 3); // prettier-ignore
    assert.equal(convex([[0, 0], [4, 0], [4, 4], [0, 4]])(2, 1), -1); // prettier-ignore
  });

  it("outline(), both() and repeated() make shapes of shapes", () => {
    assert.equal(outline(disc(0, 0, 5), 1)(0, 0), 4);
    assert.equal(both(disc(0, 0, 2), disc(3, 0, 2))(1.5, 0), -0.5);
    assert.equal(repeated(disc(0, 0, 1), 10)(20, -10), -1);
  });
});

describe("canvas", () => {
  it("paint() covers pixels by how far their centres lie inside", () => {
    const picture = flat([0, 0, 0]);
    // The edge lies at x = 16.25: the centre 15.5 is covered fully, 16.5 by 0.5 - 0.25, 17.5 not at all.
    paint(picture, (x) => x - 16.25, [1, 0.5, 0]);
    assert.deepEqual([picture[15], picture[16], picture[17]], [1, 0.25, 0]);
    assert.equal(picture[PIXELS + 16], 0.125);
    assert.equal(picture[2 * PIXELS + 15], 0);
  });

  it("paint() in a frame turns, scales and mirrors", () => {
    const picture = flat([0, 0, 0]);
    // Local x points down (a quarter turn), mirrored: up. Two pixels a unit: the band 2 < u < 4 is rows 8 to 12 from the top.
    paint(picture, box(3, 0, 1, 100), [1, 1, 1], { at: frame(16, 16, Math.PI / 2, 2, -1) });
    const rows = Array.from({ length: 32 }, (_, row) => Math.round(picture[row * 32 + 5]!));
    assert.deepEqual(rows.flatMap((value, row) => (value ? [row] : [])), [8, 9, 10, 11]); // prettier-ignore
  });

  it("within() finds a local place", () => {
    const inner = within(frame(10, 10, Math.PI / 2, 2), 3, 0, Math.PI / 2);
    assert.ok(Math.abs(inner.x - 10) < 1e-9 && Math.abs(inner.y - 16) < 1e-9);
    assert.ok(Math.abs(inner.cos + 1) < 1e-9);
  });

  it("addNoise() has the asked deviation", () => {
    const noisy = addNoise(flat([0.5, 0.5, 0.5]), randomStream(0, "noise test"), 0.05);
    const mean = noisy.reduce((sum, value) => sum + value, 0) / noisy.length;
    const deviation = Math.sqrt(noisy.reduce((sum, value) => sum + (value - mean) ** 2, 0) / noisy.length);
    // 3072 numbers: the mean's standard error is 0.0009, the deviation's 0.0006.
    assert.ok(Math.abs(mean - 0.5) < 0.004 && Math.abs(deviation - 0.05) < 0.003, `${mean} ${deviation}`);
  });

  it("writeBytes() rounds and clips", () => {
    const bytes = new Uint8Array(3 * PIXELS);
    writeBytes(flat([-1, 0.5, 2]), bytes, 0);
    assert.deepEqual([bytes[0], bytes[PIXELS], bytes[2 * PIXELS]], [0, 128, 255]);
  });
});

describe("noise", () => {
  it("valueNoise() and fractalNoise() are smooth and in [0, 1]", () => {
    for (const noise of [valueNoise(randomStream(0, "value"), 4), fractalNoise(randomStream(0, "fractal"), 4)]) {
      for (let step = 0; step <= 340; step++) {
        const value = noise(step / 10 - 1, 7);
        assert.ok(value >= 0 && value <= 1);
        // A cell of the finest octave is 2 pixels wide; smoothstep is at most 1.5 a cell steep.
        assert.ok(Math.abs(noise(step / 10 - 0.99, 7) - value) < 0.02);
      }
    }
  });
});
