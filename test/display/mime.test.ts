import assert from "node:assert/strict";
import { type Displayable, displaySymbol, isDisplayable } from "../../src/display/mime";

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
