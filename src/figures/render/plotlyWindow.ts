import { readFileSync } from "node:fs";
import { Script } from "node:vm";
import type { Specification } from "../figure";
import { PixelCanvas } from "./pixelCanvas";
import { type Box, type MeasuredNode, measureBox } from "./textBox";

/** What is used of the private jsdom window. */
export interface PlotlyWindow {
  readonly document: {
    createElement(name: string): PlotlyElement;
    readonly body: { appendChild(element: PlotlyElement): void; removeChild(element: PlotlyElement): void };
  };
  readonly Plotly: {
    newPlot(element: PlotlyElement, data: unknown, layout: unknown, config: unknown): Promise<unknown>;
    toImage(element: PlotlyElement, options: Readonly<Record<string, unknown>>): Promise<string>;
    purge(element: PlotlyElement): void;
    validate(data: unknown, layout: unknown): { readonly code: string; readonly msg: string }[] | undefined;
  };
  readonly Math: { random(): number };
  readonly URL: Record<string, unknown>;
  readonly Element: { readonly prototype: Record<string, unknown> };
  readonly SVGElement: { readonly prototype: Record<string, unknown> };
  readonly HTMLCanvasElement: { readonly prototype: Record<string, unknown> };
  matchMedia?: unknown;
}

/** An element of the private window. */
export type PlotlyElement = MeasuredNode & { readonly nodeName: string; width?: number; height?: number };

let shared: Promise<PlotlyWindow> | undefined;
let queue: Promise<unknown> = Promise.resolve();

/** The text of plotly's library (4.8 MB), for pages that must work offline. */
export function plotlySource(): string {
  return readFileSync(require.resolve("plotly.js-dist-min/plotly.min.js"), "utf8");
}

/**
 * Draws a specification to SVG text in the shared private window; calls queue up, as plotly keeps state in its window.
 * The same specification gives the same text: identifiers come from a generator that starts at `seed`.
 * @param seed a whole number; two figures on one page need different ones.
 */
export function drawSvg(specification: Specification, size: { width: number; height: number }, seed: number): Promise<string> {
  const drawn = queue.then(async () => {
    const window = await (shared ??= openWindow());
    return drawIn(window, specification, size, seed);
  });
  queue = drawn.catch(() => undefined);
  return drawn;
}

/** What plotly's own schema finds wrong with a specification; empty if nothing. */
export async function validateSpecification(specification: Specification): Promise<string[]> {
  const window = await (shared ??= openWindow());
  const found = window.Plotly.validate(structuredClone(specification.data), structuredClone(specification.layout)) ?? [];
  // "unused" only says that a key has no effect beside the others.
  return Array.from(found)
    .filter((problem) => problem.code !== "unused")
    .map((problem) => problem.msg);
}

async function drawIn(
  window: PlotlyWindow,
  specification: Specification,
  size: { width: number; height: number },
  seed: number,
): Promise<string> {
  window.Math.random = mulberry(seed);
  const element = window.document.createElement("div");
  window.document.body.appendChild(element);
  try {
    // Plotly writes into what it is given, so it gets a copy.
    const data: unknown = structuredClone(specification.data);
    const layout: unknown = { ...structuredClone(specification.layout), ...size, autosize: false };
    await window.Plotly.newPlot(element, data, layout, { staticPlot: true, responsive: false });
    return await window.Plotly.toImage(element, { format: "svg", ...size, imageDataOnly: true });
  } finally {
    window.Plotly.purge(element);
    window.document.body.removeChild(element);
  }
}

async function openWindow(): Promise<PlotlyWindow> {
  const { JSDOM, VirtualConsole } = await import("jsdom");
  const dom = new JSDOM("<!doctype html><body></body>", {
    runScripts: "outside-only",
    pretendToBeVisual: true,
    virtualConsole: new VirtualConsole(),
  });
  const { window } = dom;
  supplyMissing(window);
  new Script(plotlySource(), { filename: "plotly.min.js" }).runInContext(dom.getInternalVMContext());
  return window;
}

/** Supplies what jsdom lacks and plotly calls: boxes, canvas, object URLs, media queries. */
function supplyMissing(window: PlotlyWindow): void {
  window.URL["createObjectURL"] = () => "blob:";
  window.matchMedia = () => ({ matches: false, addListener() {}, removeListener() {}, addEventListener() {}, removeEventListener() {} });
  window.SVGElement.prototype["getBBox"] = function (this: MeasuredNode): Box {
    return measureBox(this);
  };
  window.Element.prototype["getBoundingClientRect"] = function (this: MeasuredNode): Box & Record<string, number> {
    const box = measureBox(this);
    return { ...box, left: box.x, top: box.y, right: box.x + box.width, bottom: box.y + box.height };
  };
  const canvases = new WeakMap<object, PixelCanvas>();
  const canvasOf = (element: PlotlyElement): PixelCanvas => {
    const canvas = canvases.get(element) ?? new PixelCanvas();
    canvases.set(element, canvas);
    canvas.resize(element.width ?? 0, element.height ?? 0);
    return canvas;
  };
  const prototype = window.HTMLCanvasElement.prototype;
  prototype["getContext"] = function (this: PlotlyElement): PixelCanvas {
    return canvasOf(this);
  };
  prototype["toDataURL"] = function (this: PlotlyElement): string {
    return canvasOf(this).toDataURL();
  };
}

/** Mulberry32: plotly's identifiers need no more. */
function mulberry(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
