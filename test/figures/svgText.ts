import { join } from "node:path";
import * as fontkit from "fontkit";
import { JSDOM } from "jsdom";
import { fontFolder } from "../../src/figures/textWidth";

/** One line of text in a drawing: what it says and the corners of the box around its letters. */
export interface PlacedText {
  readonly text: string;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly slanted: boolean;
}

interface SvgNode {
  readonly nodeName: string;
  readonly nodeType: number;
  readonly textContent: string | null;
  readonly childNodes: Iterable<SvgNode>;
  readonly parentNode: SvgNode | null;
  getAttribute(name: string): string | null;
}

const fonts = ["Regular", "SemiBold"].map((weight) => fontkit.openSync(join(fontFolder, `Inter-${weight}.ttf`)) as fontkit.Font);

/** All text of an SVG with its place, measured with the font's own shaping (kerning included) rather than with the library's table. */
export function placedTexts(svg: string): PlacedText[] {
  const { window } = new JSDOM("") as unknown as {
    window: { DOMParser: new () => { parseFromString(text: string, type: string): SvgDocument } };
  };
  const document = new window.DOMParser().parseFromString(svg, "image/svg+xml");
  const placed: PlacedText[] = [];
  for (const element of document.querySelectorAll("text")) {
    const lines = [...element.childNodes].filter((child) => child.nodeName === "tspan" && child.getAttribute("class") === "line");
    for (const line of lines.length > 0 ? lines : [element]) {
      const text = line.textContent ?? "";
      if (text.trim() === "" || hidden(element)) continue;
      placed.push(place(element, line, text));
    }
  }
  return placed;
}

interface SvgDocument {
  querySelectorAll(selector: string): Iterable<SvgNode>;
}

function hidden(node: SvgNode): boolean {
  const style = node.getAttribute("style") ?? "";
  return /opacity:\s*0\s*(;|$)/.test(style) || /display:\s*none/.test(style);
}

function place(element: SvgNode, line: SvgNode, text: string): PlacedText {
  const style = (name: string): string | undefined => new RegExp(`${name}:\\s*([^;]+)`).exec(element.getAttribute("style") ?? "")?.[1];
  const size = Number.parseFloat(style("font-size") ?? "13");
  const bold = /font-weight:\s*(bold|600)/.test(
    JSON.stringify([...line.childNodes].map((child) => child.nodeType === 1 && child.getAttribute("style"))),
  );
  const font = fonts[bold ? 1 : 0]!;
  const width = (font.layout(text).advanceWidth / font.unitsPerEm) * size;
  const anchor = element.getAttribute("text-anchor") ?? "start";
  const x = Number(line.getAttribute("x") ?? element.getAttribute("x")) - (anchor === "middle" ? width / 2 : anchor === "end" ? width : 0);
  const y =
    Number(element.getAttribute("y")) +
    Number.parseFloat(line === element ? (element.getAttribute("dy") ?? "0") : (line.getAttribute("dy") ?? "0")) * size;
  // Capital letters are 0.73 em high, descenders 0.2 em deep.
  const corners = [
    [x, y - 0.73 * size],
    [x + width, y - 0.73 * size],
    [x, y + 0.2 * size],
    [x + width, y + 0.2 * size],
  ].map((corner) => toPage(element, corner as [number, number]));
  const xs = corners.map((corner) => corner[0]);
  const ys = corners.map((corner) => corner[1]);
  return {
    text,
    left: Math.min(...xs),
    top: Math.min(...ys),
    right: Math.max(...xs),
    bottom: Math.max(...ys),
    slanted: /rotate\(-?45/.test(element.getAttribute("transform") ?? ""),
  };
}

function toPage(node: SvgNode | null, [x, y]: [number, number]): [number, number] {
  if (node === null || node.nodeType !== 1) return [x, y];
  let point: [number, number] = [x, y];
  const steps = [...(node.getAttribute("transform") ?? "").matchAll(/(translate|rotate|scale)\(([^)]*)\)/g)].reverse();
  for (const [, kind, list = ""] of steps) {
    const [a = 0, b = 0, c = 0] = list.split(/[\s,]+/).map(Number);
    if (kind === "translate") point = [point[0] + a, point[1] + b];
    else if (kind === "scale") point = [point[0] * a, point[1] * (b || a)];
    else {
      const [cos, sin] = [Math.cos((a * Math.PI) / 180), Math.sin((a * Math.PI) / 180)];
      const [dx, dy] = [point[0] - b, point[1] - c];
      point = [b + cos * dx - sin * dy, c + sin * dx + cos * dy];
    }
  }
  return toPage(node.parentNode, point);
}

/** Pairs of upright texts whose boxes overlap by more than a pixel both ways; of slanted ones the boxes say nothing. */
export function overlaps(all: readonly PlacedText[]): string[] {
  const found: string[] = [];
  const texts = all.filter((text) => !text.slanted);
  texts.forEach((one, index) => {
    for (const other of texts.slice(index + 1)) {
      const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
      const down = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
      if (across > 1 && down > 1) found.push(`"${one.text}" and "${other.text}"`);
    }
  });
  return found;
}
