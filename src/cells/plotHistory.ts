import { z } from "zod";
import { linesFigure, type Figure, type LineSeries } from "../figures";
import type { AdaptedModel } from "./adaptation";
import { defineCell, type Cell } from "./cell";
import { runNotes } from "./figureWords";

/** Parameters of `plotHistory`. */
export interface PlotHistoryParameters {
  title?: string | undefined;
  /** Steps that are averaged into one point. */
  window?: number | undefined;
}

/** A picture of a run over its steps. */
export interface HistoryPlot {
  readonly figure: Figure;
}

const LOSSES: Readonly<Record<string, string>> = { entropy: "entropy, f₀", performance: "L_perf", safety: "L_safe" };
const DENSITIES: Readonly<Record<string, string>> = { sharedDensity: "M1", backdoorDensity: "M2", density: "mask" };

/** Draws the losses and the masks' densities of a test-time merge over its steps. */
export const plotHistory: Cell<[merged: Pick<AdaptedModel, "history" | "title">], PlotHistoryParameters, HistoryPlot> = defineCell({
  name: "plotHistory",
  version: 1,
  summary: "Losses and densities of masks of a test-time merge over its steps",
  inputs: ["merged"],
  cache: false,
  engine: false,
  parameters: z.object({
    title: z.string().optional().describe("one line above the picture"),
    window: z.number().int().min(1).default(10).describe("steps that are averaged into one point"),
  }),
  run([merged]: [merged: Pick<AdaptedModel, "history" | "title">], { title = merged.title, window }) {
    const { history } = merged;
    const series = (names: Readonly<Record<string, string>>): LineSeries[] =>
      Object.entries(names)
        .map(([key, name]) => ({ name, ...averaged(history, key, window), markers: false }))
        .filter(({ x }) => x.length > 0);
    const panels = [
      { title: "loss", series: series(LOSSES) },
      { title: "density (%)", series: series(DENSITIES).map((line) => ({ ...line, y: line.y.map((share) => share! * 100) })) },
    ].filter((panel) => panel.series.length > 0);
    if (panels.length === 0)
      throw new RangeError(`Cannot plot the history of "${merged.title}": expected numbers of at least 1 step, got none`);
    return {
      figure: linesFigure(panels, {
        title,
        notes: runNotes(merged),
        caption: `Losses are sums over the tasks, means of ${window} steps. Density: expected share of the elements that a mask keeps.`,
      }),
    };
  },
  text: ({ figure }) => figure.title,
  display: ({ figure }) => figure.toMime(),
});

/** Means of one number over windows of steps; steps that lack it are left out. */
function averaged(history: AdaptedModel["history"], key: string, window: number): { x: number[]; y: number[] } {
  const [x, y]: [number[], number[]] = [[], []];
  for (let start = 0; start < history.length; start += window) {
    const values = history.slice(start, start + window).flatMap((step) => step[key] ?? []);
    if (values.length === 0) continue;
    x.push(start + Math.min(window, history.length - start) / 2);
    y.push(values.reduce((sum, value) => sum + value, 0) / values.length);
  }
  return { x, y };
}
