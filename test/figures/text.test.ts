import assert from "node:assert/strict";
import { join } from "node:path";
import * as fontkit from "fontkit";
import { type MeasuredNode, measureBox } from "../../src/figures/render/textBox";
import { fontFolder, fontMetrics, textWidth, wrapText } from "../../src/figures/textWidth";

describe("figures/text", () => {
  it("fontMetrics() agrees with the shipped fonts", () => {
    for (const weight of ["Regular", "SemiBold"] as const) {
      const font = fontkit.openSync(join(fontFolder, `Inter-${weight}.ttf`)) as fontkit.Font;
      const metrics = fontMetrics(weight === "SemiBold");
      assert.deepEqual([metrics.unitsPerEm, metrics.ascent, metrics.descent], [font.unitsPerEm, font.ascent, -font.descent]);
      for (const point of font.characterSet) assert.equal(metrics.advances[point], Math.round(font.glyphForCodePoint(point).advanceWidth));
    }
  });

  it("textWidth() is never narrower than the font's own shaping, and at most 8 % wider", () => {
    const font = fontkit.openSync(join(fontFolder, "Inter-Regular.ttf")) as fontkit.Font;
    for (const text of ["Task Arithmetic (λ = 0.3)", "ASR, attacked tasks (%)", "AVATAR To Ye 11.10", "85.3 [81.0, 90.2]"]) {
      const shaped = (font.layout(text).advanceWidth / font.unitsPerEm) * 13;
      const ratio = textWidth(text, 13) / shaped;
      assert.ok(ratio > 0.999 && ratio < 1.08, `${text}: ${ratio}`);
    }
  });

  it("wrapText() keeps lines within the width and formulas whole", () => {
    const lines = wrapText("DAM with dual masks, α = 0.1, and a final stage", 110, 13);
    assert.ok(lines.length > 1 && lines.every((line) => textWidth(line, 13) <= 110));
    assert.ok(lines.some((line) => line.includes("α\u00a0=\u00a00.1")));
    assert.equal(lines.join(" ").replaceAll("\u00a0", " "), "DAM with dual masks, α = 0.1, and a final stage");
  });

  it("wrapText() cuts after the last allowed line", () => {
    assert.deepEqual(wrapText("one two three", 30, 13, { maxLines: 2 }), ["one", "two…"]);
  });

  it("measureBox() follows rotation, as turned axis titles need it", () => {
    const rect = node("rect", { width: "100", height: "10", transform: "rotate(-90,0,0)" });
    const box = measureBox(node("g", {}, [rect]));
    assert.deepEqual(
      [box.x, box.y, box.width, box.height].map((value) => Math.round(value) + 0),
      [0, -100, 10, 100],
    );
  });

  it("measureBox() bounds paths with relative steps", () => {
    assert.deepEqual(measureBox(node("path", { d: "M10,10h30v-5l-50,0Z" })), { x: -10, y: 5, width: 50, height: 5 });
  });
});

function node(nodeName: string, attributes: Record<string, string>, childNodes: MeasuredNode[] = []): MeasuredNode {
  return { nodeName, nodeType: 1, textContent: "", childNodes, getAttribute: (name) => attributes[name] ?? null };
}
