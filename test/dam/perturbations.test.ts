import * as assert from "node:assert/strict";
import { DESK_NORMALIZATION } from "../../src/merging/adaptive";
import { DAM_DEFAULTS, noisePerturbations, projectNoise, stickerPerturbations, tournamentStickers } from "../../src/dam";

const SETTING = { tasks: ["a", "b"], seed: 0, imageSize: 8, normalization: DESK_NORMALIZATION };
const batches = () => [new Float32Array(4 * 192), new Float32Array(4 * 192)];
const inRange = (values: Float32Array, low: number, high: number) => values.every((value) => value >= low - 1e-6 && value <= high + 1e-6);

/** What a pass finds whose gradient is a function of the pixel, with a loss for each of four images. */
const slopes = (perturbed: readonly Float32Array[], slope: (value: number, i: number) => number, losses = [0, 0, 0, 0]) => ({
  pixelGradients: perturbed.map((pixels) => pixels.map(slope)),
  imageLosses: perturbed.map(() => Float32Array.from(losses)),
});

describe("stickerPerturbations()", () => {
  const stickers = stickerPerturbations({ ...DAM_DEFAULTS, stickerMin: 2, stickerMax: 3, candidates: 2, ascentRate: 0.05 }, SETTING);

  it("stickerPerturbations() covers one rectangle of a drawn size an image, at the same place for a candidate's images", () => {
    const values = stickers.start();
    const sizes = new Set<number>();
    for (let step = 0; step < 20; step++) {
      const [pixels] = stickers.apply(values, batches(), "phase", step);
      const covered = Array.from({ length: 4 }, (_, image) =>
        [...pixels!.subarray(image * 192, (image + 1) * 192).entries()]
          .filter(([, value]) => value !== 0)
          .map(([place]) => place)
          .join(),
      );
      assert.equal(covered[0], covered[2]);
      assert.equal(covered[1], covered[3]);
      sizes.add(covered[0]!.split(",").length / 3);
    }
    assert.deepEqual([...sizes].sort(), [4, 6, 9]);
  });

  it("stickerPerturbations() shows the same for the same step and another place for another step or phase", () => {
    const values = stickers.start();
    const shown = (phase: string, step: number) => stickers.apply(values, batches(), phase, step)[0]!.join();
    assert.equal(shown("phase", 3), shown("phase", 3));
    assert.equal(new Set([shown("phase", 1), shown("phase", 2), shown("phase", 3), shown("other", 3)]).size, 4);
  });

  it("stickerPerturbations() climbs by the gradient's sign where it was shown, within [0, 1]", () => {
    const values = stickers.start();
    const before = values.slice();
    const perturbed = stickers.apply(values, batches(), "phase", 0);
    stickers.ascend(
      values,
      perturbed,
      slopes(perturbed, () => 3),
      "phase",
      0,
    );
    const moves = values.map((value, i) => value - before[i]!);
    const moved = moves.filter((move) => move !== 0);
    assert.ok(moved.length >= 4 * 12 && moved.length < values.length);
    assert.ok(inRange(moved, 0, 0.05) && inRange(values, 0, 1));
    for (let i = 0; i < 40; i++)
      stickers.ascend(
        values,
        perturbed,
        slopes(perturbed, () => 3),
        "phase",
        0,
      );
    assert.ok(inRange(values, 0, 1));
  });

  it("stickerPerturbations() keeps pixels in the valid range", () => {
    for (const pixels of stickers.apply(stickers.start(), batches(), "phase", 0)) assert.ok(inRange(pixels, -2, 2));
  });
});

describe("tournamentStickers()", () => {
  const options = { ...DAM_DEFAULTS, stickerMin: 2, stickerMax: 3, candidates: 2, ascentRate: 0.1, renewEvery: 3 };
  const stickers = tournamentStickers(options, SETTING);
  /** Which pixels of each image are covered. */
  const covered = (values: Float32Array) =>
    Array.from({ length: 2 }, (_, image) =>
      [
        ...stickers
          .apply(values, batches(), "phase", 0)[0]!
          .subarray(image * 192, (image + 1) * 192)
          .entries(),
      ]
        .filter(([, value]) => value !== 0)
        .map(([place]) => place)
        .join(),
    );
  const ascend = (values: Float32Array, losses: number[]) => {
    const perturbed = stickers.apply(values, batches(), "phase", 0);
    stickers.ascend(
      values,
      perturbed,
      slopes(perturbed, () => 1, losses),
      "phase",
      0,
    );
  };

  it("tournamentStickers() leaves a sticker where it is until the renewal, which spares the one that harms most", () => {
    for (const [losses, spared] of [
      [[5, 1, 5, 1], 0],
      [[1, 5, 1, 5], 1],
    ] as const) {
      const values = stickers.start();
      const before = covered(values);
      for (let step = 0; step < 2; step++) ascend(values, [...losses]);
      assert.deepEqual(covered(values), before);
      ascend(values, [...losses]);
      assert.equal(covered(values)[spared], before[spared]);
      assert.notEqual(covered(values)[1 - spared], before[1 - spared]);
    }
  });

  it("tournamentStickers() keeps everything that it goes on from in its values", () => {
    const whole = stickers.start();
    for (let step = 0; step < 4; step++) ascend(whole, [1, 2, 1, 2]);
    const saved = whole.slice();
    const other = tournamentStickers(options, SETTING);
    for (let step = 0; step < 4; step++) {
      ascend(whole, [2, 1, 2, 1]);
      const perturbed = other.apply(saved, batches(), "phase", 9);
      other.ascend(
        saved,
        perturbed,
        slopes(perturbed, () => 1, [2, 1, 2, 1]),
        "phase",
        9,
      );
    }
    assert.deepEqual(saved, whole);
  });

  it("tournamentStickers() climbs within [0, 1] and takes batches smaller than its candidates", () => {
    const many = tournamentStickers({ ...options, candidates: 6, renewEvery: 100 }, SETTING);
    const values = many.start();
    for (let step = 0; step < 12; step++) {
      const perturbed = many.apply(values, batches(), "phase", step);
      many.ascend(
        values,
        perturbed,
        slopes(perturbed, () => 1),
        "phase",
        step,
      );
      for (const pixels of perturbed) assert.ok(inRange(pixels, -2, 2));
    }
    assert.ok(values.every((value) => Number.isFinite(value)));
    const shown = many.apply(values, batches(), "phase", 0)[0]!.filter((value) => value !== 0);
    assert.ok(shown.every((value) => value === 2));
  });
});

describe("noisePerturbations()", () => {
  for (const noiseNorm of ["linf", "l2"] as const) {
    it(`noisePerturbations() stays in its ${noiseNorm} ball and in the valid pixel range`, () => {
      const noise = noisePerturbations({ ...DAM_DEFAULTS, noiseNorm, noiseRadius: 0.3, ascentRate: 0.2 }, SETTING);
      const values = noise.start();
      const bright = batches().map((pixels) => pixels.fill(1.9));
      for (let step = 0; step < 5; step++) {
        const perturbed = noise.apply(values, bright, "phase", step);
        assert.ok(perturbed.every((pixels) => inRange(pixels, -2, 2)));
        noise.ascend(
          values,
          perturbed,
          slopes(perturbed, (_, i) => (i % 3) - 1),
          "phase",
          step,
        );
        const first = values.subarray(0, 192);
        if (noiseNorm === "linf") assert.ok(inRange(first, -0.3, 0.3));
        else assert.ok(Math.sqrt(first.reduce((sum, value) => sum + value * value, 0)) <= 0.3 + 1e-6);
      }
    });
  }

  it("noisePerturbations() takes no gradient from clamped pixels", () => {
    const noise = noisePerturbations({ ...DAM_DEFAULTS, noiseRadius: 0.5 }, SETTING);
    const values = noise.start().fill(0.4);
    const perturbed = noise.apply(
      values,
      batches().map((pixels) => pixels.fill(1.9)),
      "phase",
      0,
    );
    noise.ascend(
      values,
      perturbed,
      slopes(perturbed, () => 1),
      "phase",
      0,
    );
    assert.ok(values.every((value) => value === Math.fround(0.4)));
  });

  it("projectNoise() scales onto an L2 ball and clips to an L∞ one", () => {
    const [sphere, cube] = [Float32Array.of(3, 4), Float32Array.of(3, -4)];
    projectNoise(sphere, "l2", 1);
    projectNoise(cube, "linf", 2);
    // (3, 4) / 5
    assert.deepEqual([...sphere], [Math.fround(0.6), Math.fround(0.8)]);
    assert.deepEqual([...cube], [2, -2]);
  });
});
