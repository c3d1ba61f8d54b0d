import { fontMetrics, textWidth } from "../textWidth";

/** A rectangle in pixels, relative to the origin of the measured element's parent. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The part of the DOM that measuring needs, so that it can be tested without a window. */
export interface MeasuredNode {
  readonly nodeName: string;
  readonly nodeType: number;
  readonly textContent: string | null;
  readonly childNodes: Iterable<MeasuredNode>;
  getAttribute?(name: string): string | null;
  readonly style?: { getPropertyValue(name: string): string };
}

interface TextStyle {
  readonly size: number;
  readonly bold: boolean;
}

/**
 * Box of an SVG element as a browser with the shipped font would report it: text from font metrics, shapes from their attributes, groups
 * as the union of their children. Transforms of the element itself are ignored (as in `getBBox`), those of children are applied.
 */
export function measureBox(node: MeasuredNode, inherited: TextStyle = { size: 13, bold: false }): Box {
  const style = styleOf(node, inherited);
  switch (node.nodeName.toLowerCase()) {
    case "text":
      return textBox(node, style);
    case "rect":
    case "image":
      return { x: number(node, "x"), y: number(node, "y"), width: number(node, "width"), height: number(node, "height") };
    case "circle": {
      const radius = number(node, "r");
      return { x: number(node, "cx") - radius, y: number(node, "cy") - radius, width: 2 * radius, height: 2 * radius };
    }
    case "path":
      return pathBox(node.getAttribute?.("d") ?? "");
    default:
      return union(
        [...node.childNodes]
          .filter((child) => child.nodeType === 1 && !/^(defs|clippath|title|desc|style)$/i.test(child.nodeName))
          .map((child) => {
            return transformed(measureBox(child, style), child.getAttribute?.("transform") ?? "");
          }),
      );
  }
}

function styleOf(node: MeasuredNode, inherited: TextStyle): TextStyle {
  const value = (name: string): string => node.style?.getPropertyValue(name) || node.getAttribute?.(name) || "";
  const size = value("font-size");
  const weight = value("font-weight");
  return {
    size: size === "" ? inherited.size : size.endsWith("%") ? (inherited.size * Number.parseFloat(size)) / 100 : Number.parseFloat(size),
    bold: weight === "" ? inherited.bold : weight === "bold" || weight === "bolder" || Number.parseInt(weight, 10) >= 600,
  };
}

/** One line, or one `tspan.line` a line, each `dy` em below the first. */
function textBox(node: MeasuredNode, style: TextStyle): Box {
  const lines = [...node.childNodes].filter((child) => child.nodeType === 1 && child.getAttribute?.("class") === "line");
  const rows =
    lines.length === 0 ? [{ node, down: 0 }] : lines.map((line) => ({ node: line, down: em(line.getAttribute?.("dy")) * style.size }));
  const { ascent, descent, unitsPerEm } = fontMetrics();
  const anchor = node.style?.getPropertyValue("text-anchor") || node.getAttribute?.("text-anchor") || "start";
  const shift = anchor === "middle" ? -0.5 : anchor === "end" ? -1 : 0;
  const y = number(node, "y");
  return union(
    rows.map((row) => {
      const width = runWidth(row.node, style);
      return {
        x: number(node, "x") + shift * width,
        y: y + row.down - (ascent / unitsPerEm) * style.size,
        width,
        height: ((ascent + descent) / unitsPerEm) * style.size,
      };
    }),
  );
}

function runWidth(node: MeasuredNode, style: TextStyle): number {
  let width = 0;
  for (const child of node.childNodes) {
    if (child.nodeType === 3) width += textWidth(child.textContent ?? "", style.size, style.bold);
    else if (child.nodeType === 1) width += runWidth(child, styleOf(child, style));
  }
  return width;
}

/** Box of a path's end and control points; plotly's symbols and lines need no more. */
function pathBox(d: string): Box {
  let [x, y] = [0, 0];
  const points: Box[] = [];
  for (const [, command = "", rest = ""] of d.matchAll(/([a-z])([^a-z]*)/gi)) {
    const numbers = (rest.match(/-?\d*\.?\d+(?:e[-+]?\d+)?/gi) ?? []).map(Number);
    const relative = command === command.toLowerCase();
    const kind = command.toUpperCase();
    const stride = { H: 1, V: 1, A: 7, C: 6, S: 4, Q: 4 }[kind] ?? 2;
    for (let i = 0; i + stride <= numbers.length; i += stride) {
      const last = numbers.slice(i, i + stride);
      const [endX, endY] = kind === "H" ? [last[0], undefined] : kind === "V" ? [undefined, last[0]] : [last[stride - 2], last[stride - 1]];
      x = endX === undefined ? x : endX + (relative ? x : 0);
      y = endY === undefined ? y : endY + (relative ? y : 0);
      points.push({ x, y, width: 0, height: 0 });
    }
  }
  return union(points);
}

function union(boxes: readonly Box[]): Box {
  if (boxes.length === 0) return { x: 0, y: 0, width: 0, height: 0 };
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const box of boxes) {
    left = Math.min(left, box.x);
    top = Math.min(top, box.y);
    right = Math.max(right, box.x + box.width);
    bottom = Math.max(bottom, box.y + box.height);
  }
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** The upright box around a box that went through an SVG transform list (translate, rotate, scale, matrix). */
function transformed(box: Box, list: string): Box {
  let [a, b, c, d, e, f] = [1, 0, 0, 1, 0, 0];
  const multiply = (m: readonly [number, number, number, number, number, number]): void => {
    [a, b, c, d, e, f] = [
      a * m[0] + c * m[1],
      b * m[0] + d * m[1],
      a * m[2] + c * m[3],
      b * m[2] + d * m[3],
      a * m[4] + c * m[5] + e,
      b * m[4] + d * m[5] + f,
    ];
  };
  for (const [, kind = "", numbers = ""] of list.matchAll(/(translate|rotate|scale|matrix)\(([^)]*)\)/g)) {
    const [p = 0, q, r, s = 0, t = 0, u = 0] = numbers
      .split(/[\s,]+/)
      .filter(Boolean)
      .map(Number);
    if (kind === "translate") multiply([1, 0, 0, 1, p, q ?? 0]);
    else if (kind === "scale") multiply([p, 0, 0, q ?? p, 0, 0]);
    else if (kind === "matrix") multiply([p, q ?? 0, r ?? 0, s, t, u]);
    else {
      const [cos, sin] = [Math.cos((p * Math.PI) / 180), Math.sin((p * Math.PI) / 180)];
      multiply([1, 0, 0, 1, q ?? 0, r ?? 0]);
      multiply([cos, sin, -sin, cos, 0, 0]);
      multiply([1, 0, 0, 1, -(q ?? 0), -(r ?? 0)]);
    }
  }
  const corners = [
    [box.x, box.y],
    [box.x + box.width, box.y],
    [box.x, box.y + box.height],
    [box.x + box.width, box.y + box.height],
  ] as const;
  return union(corners.map(([x, y]) => ({ x: a * x + c * y + e, y: b * x + d * y + f, width: 0, height: 0 })));
}

function number(node: MeasuredNode, name: string): number {
  const value = Number.parseFloat(node.getAttribute?.(name) ?? "");
  return Number.isFinite(value) ? value : 0;
}

function em(value: string | null | undefined): number {
  const parsed = Number.parseFloat(value ?? "");
  return Number.isFinite(parsed) ? parsed : 0;
}
