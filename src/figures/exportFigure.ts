import { extname } from "node:path";
import { writeFileAtomic } from "../checkpoints/atomic";
import type { Figure } from "./figure";
import { renderPng, renderSvg, type RenderOptions } from "./render/image";
import { renderPdf } from "./render/pdf";
import { renderHtml } from "./report";

/** Size of an exported figure: pixels (96 an inch) or a length such as "3.3in" (one column), "7in" (two), "84mm". */
export interface ExportOptions {
  readonly width?: number | string;
  readonly height?: number | string;
  /** Pixels of all text. */
  readonly fontSize?: number;
  /** Title and caption inside the picture; default true. Papers set their own: false. */
  readonly words?: boolean;
  /** PNG only: device pixels a pixel; default 2. */
  readonly scale?: number;
}

/**
 * Writes a figure in the format of the path's extension: .svg, .pdf, .png or .html (one self-contained page). The file appears whole.
 * @throws {RangeError} for another extension or an unreadable length.
 */
export async function exportFigure(figure: Figure, path: string, options: ExportOptions = {}): Promise<void> {
  const sizes: { width?: number; height?: number } = {};
  if (options.width !== undefined) sizes.width = toPixels(options.width);
  if (options.height !== undefined) sizes.height = toPixels(options.height);
  const { fontSize, words, scale } = options;
  const render: RenderOptions = { ...sizes, ...(fontSize === undefined ? {} : { fontSize }), ...(words === undefined ? {} : { words }) };
  switch (extname(path).toLowerCase()) {
    case ".svg":
      return writeFileAtomic(path, await renderSvg(figure, render));
    case ".pdf":
      return writeFileAtomic(path, await renderPdf(figure, render));
    case ".png":
      return writeFileAtomic(path, await renderPng(figure, { ...render, ...(scale === undefined ? {} : { scale }) }));
    case ".html":
      return writeFileAtomic(path, await renderHtml(figure));
    default:
      throw new RangeError(`Cannot export figure to "${path}": expected the extension .svg, .pdf, .png or .html, got "${extname(path)}"`);
  }
}

const pixelsPerUnit: Readonly<Record<string, number>> = { in: 96, cm: 96 / 2.54, mm: 96 / 25.4, pt: 96 / 72, px: 1 };

/** A length as pixels: numbers are pixels, text carries its unit (in, cm, mm, pt, px). */
export function toPixels(length: number | string): number {
  if (typeof length === "number") return length;
  const [, value, unit] = /^\s*(\d+(?:\.\d+)?|\.\d+)\s*(in|cm|mm|pt|px)\s*$/.exec(length) ?? [];
  if (value === undefined || unit === undefined) {
    throw new RangeError(`Cannot read length "${length}": expected a number with unit in, cm, mm, pt or px, such as "3.3in"`);
  }
  return Math.round(Number(value) * (pixelsPerUnit[unit] ?? 1) * 100) / 100;
}
