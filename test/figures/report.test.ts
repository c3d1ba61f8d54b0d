import assert from "node:assert/strict";
import { JSDOM } from "jsdom";
import { displaySymbol } from "../../src/display/mime";
import { figureOf, makeTable, plotlyLibrary, renderHtml, renderReport } from "../../src/figures";
import { exampleFigures } from "./examples";

const figures = exampleFigures();
const evil = '</script><script>alert("x")</script>';
const plotlyCopies = (html: string): number => html.split("window.Plotly = Plotly;").length - 1;

describe("figures/report", function () {
  this.timeout(60_000);

  it("renderReport() writes one page that needs nothing from outside and holds plotly once", async () => {
    const html = await renderReport({
      title: "T",
      blocks: [{ figure: figures["lines"]! }, { heading: "H" }, { figure: figures["heatmap"]! }],
    });
    assert.equal(plotlyCopies(html), 1);
    const page = new JSDOM(html) as unknown as { window: { document: Page } };
    const { document } = page.window;
    assert.equal(document.querySelectorAll("[src]:not([src^='data:']), link, iframe").length, 0);
    assert.equal(document.querySelectorAll("figure svg[role=img] > title").length, 2);
    assert.equal(document.documentElement.getAttribute("lang"), "en");
    assert.equal(document.querySelectorAll(".live[aria-label]").length, 2);
    assert.equal(document.querySelectorAll("figcaption").length, 2);
  });

  it("renderReport() leaves plotly out of a page without figures", async () => {
    const html = await renderReport({ title: "T", blocks: [{ paragraph: "p" }] });
    assert.equal(plotlyCopies(html), 0);
    assert.ok(html.length < 100_000);
  });

  it("renderReport() escapes all text, also inside the figures' data", async () => {
    const table = makeTable({ columns: [{ key: "a", title: evil }], rows: [{ a: evil }], caption: evil, footnotes: [evil] });
    const figure = figureOf(
      { data: [{ type: "scatter", x: [1], y: [1], name: evil }], layout: { title: { text: evil } } },
      { title: evil, alt: evil, caption: evil },
    );
    const html = await renderReport({
      title: evil,
      lang: evil,
      footer: evil,
      blocks: [{ heading: evil }, { paragraph: evil }, { list: [evil] }, { code: evil }, { link: evil, href: evil }, { table }, { figure }],
    });
    assert.ok(!html.includes('alert("x")</script>'));
    const page = new JSDOM(html) as unknown as { window: { document: Page } };
    // The figure's data, plotly, and the page's own script.
    assert.equal(page.window.document.querySelectorAll("script").length, 3);
    const data = JSON.parse(page.window.document.querySelectorAll("script")[0]!.textContent) as { wide: { data: { name: string }[] } };
    assert.equal(data.wide.data[0]?.name, evil);
  });

  it("renderReport() refuses links that run code", async () => {
    await assert.rejects(renderReport({ title: "T", blocks: [{ link: "x", href: "javascript:alert(1)" }] }), {
      name: "TypeError",
      message: 'Cannot write link "x": expected an http(s) or relative address, got javascript:alert(1)',
    });
  });

  it("renderHtml() takes one figure or several", async () => {
    assert.match(await renderHtml(figures["lines"]!), /<title>Masks over the steps<\/title>/);
    const html = await renderHtml([figures["lines"]!, figures["heatmap"]!], { title: "Both" });
    assert.match(html, /<h1>Both<\/h1>/);
    assert.equal(plotlyCopies(html), 1);
  });

  it("a figure shows itself as plotly, HTML, PNG and text, without plotly's library", async () => {
    const bundle = await figures["heatmap"]![displaySymbol]();
    assert.deepEqual(Object.keys(bundle), ["application/vnd.plotly.v1+json", "text/html", "image/png", "text/plain"]);
    const html = bundle["text/html"] as string;
    assert.equal(plotlyCopies(html), 0);
    assert.ok(html.length < 400_000);
    assert.match(html, /^<div class="damlab-figure"><img src="data:image\/png;base64,iVBOR/);
    assert.equal(
      Buffer.from(bundle["image/png"] as string, "base64")
        .subarray(1, 4)
        .toString("latin1"),
      "PNG",
    );
    assert.match(bundle["text/plain"], /^Density of M2 by parameter and block\nHeatmap of density/);
    assert.deepEqual(await figures["heatmap"]![displaySymbol](), bundle);
  });

  it("plotlyLibrary() shows the library once for all figures after it", async () => {
    const bundle = await plotlyLibrary()[displaySymbol]();
    assert.equal(plotlyCopies(bundle["text/html"] as string), 1);
  });
});

interface Page {
  readonly documentElement: { getAttribute(name: string): string | null };
  querySelectorAll(selector: string): ArrayLike<{ readonly textContent: string }>;
}
