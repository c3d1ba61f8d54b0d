import assert from "node:assert/strict";
import { type Displayable, displaySymbol, isDisplayable, pictureMetadata } from "../../src/display/mime";
import { heatmapFigure } from "../../src/figures";

describe("display/mime", () => {
  it("displaySymbol is the one that Jupyter kernels for JavaScript ask for", () => {
    assert.equal(displaySymbol, Symbol.for("Jupyter.display"));
  });

  it("isDisplayable() tells values with the display method from all others", () => {
    const value: Displayable = { [displaySymbol]: () => ({ "text/plain": "x" }) };
    assert.deepEqual([value, Object.assign(() => 0, value)].map(isDisplayable), [true, true]);
    assert.deepEqual(
      [null, undefined, 1, "x", {}, { [displaySymbol]: "x" }].map(isDisplayable),
      Array.from({ length: 6 }, () => false),
    );
  });
});

describe("pictureMetadata()", () => {
  it("pictureMetadata() takes the size of a figure's PNG from its HTML, and of nothing else", async () => {
    const figure = heatmapFigure({ rows: ["a"], columns: ["x", "y"], values: [[-1, 3]] });
    const bundle = await figure.toMime();
    assert.deepEqual(pictureMetadata(bundle), { "image/png": { width: figure.width } });
    const lines = { ...bundle, "text/html": (bundle["text/html"] as string).split(/(?<=>)/) };
    assert.deepEqual(pictureMetadata(lines), { "image/png": { width: figure.width } });
    assert.deepEqual(pictureMetadata({ "text/html": bundle["text/html"] }), {});
    assert.deepEqual(pictureMetadata({ "image/png": "", "text/html": '<img width="5">' }), {});
  });
});
