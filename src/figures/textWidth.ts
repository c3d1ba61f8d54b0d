import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Folder of the shipped fonts, the same seen from `src/figures` and from `dist/figures`. */
export const fontFolder = join(__dirname, "..", "..", "data", "fonts");

interface FontMetrics {
  readonly unitsPerEm: number;
  readonly ascent: number;
  readonly descent: number;
  readonly advances: Readonly<Record<string, number>>;
}

let metrics: { readonly Regular: FontMetrics; readonly SemiBold: FontMetrics } | undefined;

/** Metrics of the shipped font, in units of the em square. Kerning is left out, which errs to the wide side by about 1 %. */
export function fontMetrics(bold = false): FontMetrics {
  metrics ??= JSON.parse(readFileSync(join(fontFolder, "Inter-metrics.json"), "utf8")) as NonNullable<typeof metrics>;
  return bold ? metrics.SemiBold : metrics.Regular;
}

/** Width of one line of plain text in pixels. Characters that the font lacks count as one em. */
export function textWidth(text: string, fontSize: number, bold = false): number {
  const { advances, unitsPerEm } = fontMetrics(bold);
  let units = 0;
  for (const character of text) units += advances[character.codePointAt(0) ?? 0] ?? unitsPerEm;
  return (units * fontSize) / unitsPerEm;
}

/**
 * Breaks text at spaces (and after hyphens and underscores) into lines of at most `width` pixels; a longer word keeps its own line.
 * @param options.maxLines further lines are cut, the last one ending in "…"; default no limit.
 */
export function wrapText(text: string, width: number, fontSize: number, options: { bold?: boolean; maxLines?: number } = {}): string[] {
  const { bold = false, maxLines = Number.POSITIVE_INFINITY } = options;
  const lines: string[] = [];
  let line = "";
  // "α = 0.1" and "95 %" stay together.
  const kept = text.replace(/ ([=<>≤≥±×]) /g, "\u00a0$1\u00a0").replace(/ %/g, "\u00a0%");
  for (const word of kept.split(/(?<=[ _-])(?=\S)/)) {
    if (line !== "" && textWidth((line + word).trimEnd(), fontSize, bold) > width) {
      lines.push(line.trimEnd());
      line = "";
    }
    line += word;
  }
  lines.push(line.trimEnd());
  if (lines.length <= maxLines) return lines;
  const shown = lines.slice(0, maxLines);
  shown[maxLines - 1] = `${shown[maxLines - 1] ?? ""}…`;
  return shown;
}

/** Width in pixels of the widest line. */
export function widestLine(lines: readonly string[], fontSize: number, bold = false): number {
  return lines.reduce((widest, line) => Math.max(widest, textWidth(line, fontSize, bold)), 0);
}

/** Text for plotly's little HTML: user text can't start a tag or an entity. */
export function plotlyText(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}
