import { lineHeight } from "./arrange";
import { plotlyText, textWidth, widestLine, wrapText } from "./textWidth";
import { inks } from "./theme";

type Axis = Record<string, unknown>;

/** What all axes share: thin grid, no zero line, ticks outside, no automatic margins. */
export function plainAxis(domain: readonly [number, number], anchor: string): Axis {
  return {
    domain: [...domain],
    anchor,
    automargin: false,
    zeroline: false,
    showgrid: true,
    gridcolor: inks.grid,
    gridwidth: 1,
    showline: true,
    linecolor: inks.axis,
    linewidth: 1,
    ticks: "outside",
    ticklen: 4,
    tickcolor: inks.axis,
    tickangle: 0,
  };
}

/** An axis of rates in percent, 0 to 100 with a little air, or zoomed to `range` (percent). */
export function percentAxis(
  domain: readonly [number, number],
  anchor: string,
  options: { title?: string; range?: readonly [number, number]; pixels: number; fontSize: number },
): Axis {
  const { range = [0, 104], pixels, fontSize } = options;
  const wanted = Math.max(2, pixels / (fontSize * 2.4));
  const span = range[1] - range[0];
  const dtick = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 25, 50, 100].find((step) => span / step <= wanted) ?? 100;
  return {
    ...plainAxis(domain, anchor),
    ...titled(options.title, fontSize),
    tickfont: { size: fontSize },
    range: [...range],
    tick0: 0,
    dtick,
  };
}

/** The `title` entry of an axis; nothing where there is no text. */
export function titled(title: string | undefined, fontSize: number): Axis {
  return title === undefined || title === "" ? {} : { title: { text: plotlyText(title), standoff: 6, font: { size: fontSize } } };
}

/** Labels of categories: broken into lines that fit their slot, or turned where a word does not fit. */
export interface CategoryLabels {
  readonly text: readonly string[];
  readonly angle: number;
  /** Pixels that labels and tick marks take below the axis. */
  readonly depth: number;
}

/** Fits category names below an axis whose slots are `slot` pixels wide. */
export function categoryLabels(names: readonly string[], slot: number, fontSize: number): CategoryLabels {
  const wrapped = names.map((name) => wrapText(name, slot * 0.94, fontSize, { maxLines: 3 }));
  const fits = wrapped.every((lines) => widestLine(lines, fontSize) <= slot * 0.98);
  if (fits) {
    const most = wrapped.reduce((count, lines) => Math.max(count, lines.length), 1);
    return { text: wrapped.map((lines) => lines.map(plotlyText).join("<br>")), angle: 0, depth: 8 + most * lineHeight * fontSize };
  }
  const longest = names.reduce((most, name) => Math.max(most, textWidth(name, fontSize)), 0);
  const turn = Math.PI / 4;
  return { text: names.map(plotlyText), angle: -45, depth: 10 + (longest + fontSize) * Math.sin(turn) };
}

/** Pixels left of an axis with tick labels up to `widest` text, and a turned title. */
export function valueAxisSpace(fontSize: number, options: { widest?: string; title: boolean }): number {
  return 8 + textWidth(options.widest ?? "100", fontSize) + (options.title ? fontSize * lineHeight + 8 : 0);
}

/** Pixels that a title below an axis takes. */
export function axisTitleSpace(fontSize: number): number {
  return fontSize * lineHeight + 6;
}
