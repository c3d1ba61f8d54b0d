import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { JSDOM } from "jsdom";
import sharp from "sharp";
import { exportFigure, figureOf, renderPdf, renderPng, renderSvg } from "../../src/figures";
import { toPixels } from "../../src/figures/exportFigure";
import { validateSpecification } from "../../src/figures/render/plotlyWindow";
import { exampleFigures } from "./examples";
import { overlaps, placedTexts } from "./svgText";

const figures = exampleFigures();

describe("figures/render", function () {
  this.timeout(120_000);

  for (const [name, figure] of Object.entries(figures)) {
    it(`renderSvg() clips and overlaps no text of the ${name} figure, on a page and in a column`, async () => {
      for (const width of [720, 317]) {
        const svg = await renderSvg(figure, { width, embedFont: false });
        const height = figure.draw({ width }).layout["height"] as number;
        const texts = placedTexts(svg);
        assert.ok(texts.length > 10);
        const clipped = texts.filter((text) => text.left < 0 || text.top < 0 || text.right > width || text.bottom > height);
        assert.deepEqual(clipped, [], `clipped at ${width}`);
        assert.deepEqual(overlaps(texts), [], `overlapping at ${width}`);
      }
    });

    it(`validateSpecification() finds nothing wrong with the ${name} figure`, async () => {
      assert.deepEqual(await validateSpecification(figure.specification), []);
    });
  }

  it("renderSvg() gives well-formed XML with a title, a description and its font", async () => {
    const svg = await renderSvg(figures["methods"]!);
    const { window } = new JSDOM("") as unknown as {
      window: {
        DOMParser: new () => { parseFromString(text: string, type: string): { querySelector(s: string): { textContent: string } | null } };
      };
    };
    const document = new window.DOMParser().parseFromString(svg, "image/svg+xml");
    assert.equal(document.querySelector("parsererror"), null);
    assert.match(document.querySelector("title")!.textContent, /^Backdoor succession/);
    assert.match(document.querySelector("desc")!.textContent, /Weight average 48\.0\/17\.0\/30\.0/);
    assert.match(svg, /@font-face\{font-family:Inter/);
    assert.ok(!/url\(['"&]/.test(svg.replace(/src:url\([^)]*\)/g, "")));
  });

  it("renderSvg() hatches over a solid shape, without tiles that are filled themselves, and sets text without kerning", async () => {
    const svg = await renderSvg(figures["rates"]!, { embedFont: false });
    assert.match(svg, /<pattern [^>]*><path/);
    assert.ok(!/<pattern [^>]*><rect/.test(svg));
    // Each hatched bar lies on a solid one of the same outline.
    const hatched = [...svg.matchAll(/<path style="[^"]*fill: url\(#[^"]*" d="([^"]+)"/g)].map((match) => match[1]!);
    assert.ok(hatched.length >= 12);
    for (const outline of hatched) assert.ok(svg.split(`d="${outline}"`).length >= 3, outline);
    assert.match(svg, /text\{font-kerning:none\}/);
  });

  it("renderSvg() escapes what users write", async () => {
    const figure = figureOf({ data: [{ type: "scatter", x: [1], y: [1] }], layout: {} }, { title: 'a < b & "c"', alt: "</svg><script>" });
    const svg = await renderSvg(figure);
    assert.ok(!svg.includes("<script>"));
    assert.match(svg, /<title[^>]*>a &lt; b &amp; &quot;c&quot;<\/title>/);
  });

  it("renderSvg() gives different figures different identifiers, so that they can share a page", async () => {
    const ids = async (name: string): Promise<string[]> =>
      [...(await renderSvg(figures[name]!, { embedFont: false })).matchAll(/ id="([^"]+)"/g)].map((match) => match[1]!);
    const first = new Set(await ids("rates"));
    assert.deepEqual(
      (await ids("transfer")).filter((id) => first.has(id)),
      [],
    );
  });

  it("renderPng() has the asked size and shows its title in ink", async () => {
    const figure = figures["rates"]!;
    const png = await renderPng(figure, { width: 600, height: 400, scale: 1.5 });
    const { data, info } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    assert.deepEqual([info.width, info.height], [900, 600]);
    const dark = (top: number, bottom: number): number => {
      let count = 0;
      for (let pixel = top * 900; pixel < bottom * 900; pixel++)
        if (data[pixel * 3]! + data[pixel * 3 + 1]! + data[pixel * 3 + 2]! < 250) count++;
      return count;
    };
    // The title stands in the first 30 pixels: hundreds of dark pixels if its letters are drawn, none if the font is missing.
    assert.ok(dark(0, 38) > 400, `only ${dark(0, 38)} dark pixels`);
  });

  it("renderPng() and renderPdf() give the same bytes from a fresh start", async () => {
    const draw = `
      require("tsx/cjs");
      const { parentPort } = require("node:worker_threads");
      const { createHash } = require("node:crypto");
      const { exampleFigures } = require(${JSON.stringify(join(__dirname, "examples.ts"))});
      const { renderPdf, renderPng } = require(${JSON.stringify(join(__dirname, "../../src/figures/index.ts"))});
      const before = Object.getOwnPropertyNames(globalThis);
      (async () => {
        const { heatmap } = exampleFigures();
        const bytes = [await renderPng(heatmap), await renderPdf(heatmap)];
        const leaked = Object.getOwnPropertyNames(globalThis).filter((name) => !before.includes(name));
        parentPort.postMessage({ hashes: bytes.map((b) => createHash("sha256").update(b).digest("hex")), leaked });
      })();`;
    const worker = new Worker(draw, { eval: true });
    const answer = await new Promise<{ hashes: string[]; leaked: string[] }>((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
    });
    await worker.terminate();
    const { createHash } = await import("node:crypto");
    const here = [await renderPng(figures["heatmap"]!), await renderPdf(figures["heatmap"]!)];
    assert.deepEqual(
      answer.hashes,
      here.map((bytes) => createHash("sha256").update(bytes).digest("hex")),
    );
    assert.deepEqual(answer.leaked, []);
  });

  it("renderPng() draws the cells of a heatmap in their colours", async () => {
    const { data, info } = await sharp(await renderPng(figures["heatmap"]!, { scale: 1 }))
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    const seen = new Set<string>();
    for (let i = 0; i < info.width * info.height; i++) seen.add(`${data[i * 3]},${data[i * 3 + 1]},${data[i * 3 + 2]}`);
    // Ends of cividis: the least and the greatest value.
    assert.ok(seen.has("0,34,78") && seen.has("254,232,56"));
  });

  it("renderSvg() names a trace type that it can't draw", async () => {
    await assert.rejects(renderSvg(figureOf({ data: [{ type: "surface" }], layout: {} }, { title: "S" })), {
      name: "TypeError",
      message: /^Cannot draw figure "S": expected a trace type of bar, .* got "surface"$/,
    });
  });

  it("exportFigure() writes each format by extension, whole, and leaves nothing else", async () => {
    const folder = await mkdtemp(join(tmpdir(), "damlab-figures-"));
    try {
      for (const extension of ["svg", "pdf", "png", "html"])
        await exportFigure(figures["lines"]!, join(folder, `f.${extension}`), { width: "3.3in" });
      assert.deepEqual((await readdir(folder)).sort(), ["f.html", "f.pdf", "f.png", "f.svg"]);
      const heads = await Promise.all(
        ["svg", "pdf", "png", "html"].map(async (e) => (await readFile(join(folder, `f.${e}`))).subarray(0, 8).toString("latin1")),
      );
      assert.deepEqual(heads, ["<svg rol", "%PDF-1.3", "\x89PNG\r\n\x1a\n", "<!doctyp"]);
      await assert.rejects(
        exportFigure(figures["lines"]!, join(folder, "f.bmp")),
        /expected the extension \.svg, \.pdf, \.png or \.html, got "\.bmp"$/,
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("toPixels() reads lengths", () => {
    // 3.3 in x 96 = 316.8; 84 mm / 25.4 x 96 = 317.48
    assert.deepEqual([toPixels("3.3in"), toPixels("84 mm"), toPixels(500)], [316.8, 317.48, 500]);
    assert.throws(() => toPixels("wide"), { name: "RangeError", message: /^Cannot read length "wide"/ });
  });
});
