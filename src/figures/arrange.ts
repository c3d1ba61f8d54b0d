import type { ResolvedFrame } from "./figure";
import { plotlyText, textWidth, wrapText } from "./textWidth";
import { fontFamily, inks } from "./theme";

/** Plotly's distance between lines of text, in font sizes. */
export const lineHeight = 1.3;

/** Space that panels need around them, so that nothing ever overlaps and plotly needs no automatic margins. */
export interface Arrangement {
  readonly frame: ResolvedFrame;
  /** Pixels left of each column of panels (tick labels and axis title). */
  readonly left: readonly number[];
  /** Pixels below each row of panels. */
  readonly bottom: readonly number[];
  /** Pixels right of the last column; default 1 font size. */
  readonly right?: number;
  /** Pixels above each row (panel headings); default 0. */
  readonly above?: number;
  /** Natural height of one panel, in pixels. */
  readonly panelHeight: number;
  /** Names in the legend, in order; none means no legend. */
  readonly legend: readonly string[];
}

/** Where everything lies: shared layout entries, and each panel's share of the plotting area. */
export interface Arranged {
  readonly layout: Record<string, unknown>;
  readonly annotations: Record<string, unknown>[];
  readonly columns: readonly (readonly [number, number])[];
  readonly rows: readonly (readonly [number, number])[];
  /** Pixels of one panel. */
  readonly panelWidth: number;
  readonly panelHeight: number;
}

const legendSymbolWidth = 30;

/** Lays out title, legend, panels and caption for a frame with measured text. */
export function arrange(arrangement: Arrangement): Arranged {
  const { frame, left, bottom, legend, above = 0 } = arrangement;
  const { width, fontSize } = frame;
  const line = fontSize * lineHeight;
  const pad = Math.round(fontSize * 0.75);
  const inner = width - 2 * pad;
  const title = frame.title === "" ? [] : wrapText(frame.title, inner, fontSize, { bold: true });
  const caption = frame.caption === "" ? [] : wrapText(frame.caption, inner, fontSize);
  const right = arrangement.right ?? fontSize;
  const plotWidth = Math.max(40, width - (left[0] ?? 0) - right);
  const legendPlan = planLegend(legend, { inner, plotWidth }, fontSize);
  const titleHeight = title.length === 0 ? 0 : title.length * line + fontSize * 0.4;
  const top = pad + titleHeight + legendPlan.height;
  const captionHeight = caption.length === 0 ? 0 : caption.length * line + fontSize * 0.6;
  const between = (sizes: readonly number[]): number => sizes.reduce((sum, size) => sum + size, 0);
  const rowCount = bottom.length;
  const fixedHeight = top + between(bottom) + rowCount * above + captionHeight + pad / 2;
  const height = Math.round(frame.height ?? fixedHeight + rowCount * arrangement.panelHeight);
  const panelHeight = Math.max(20, (height - fixedHeight) / rowCount);
  const plotHeight = panelHeight * rowCount + between(bottom.slice(0, -1)) + above * (rowCount - 1);
  const panelWidth = (plotWidth - between(left.slice(1)) - fontSize * (left.length - 1)) / left.length;
  const columns: [number, number][] = [];
  for (let column = 0, x = 0; column < left.length; column++) {
    if (column > 0) x += (left[column] ?? 0) + fontSize;
    columns.push([x / plotWidth, Math.min(1, (x + panelWidth) / plotWidth)]);
    x += panelWidth;
  }
  const rows: [number, number][] = [];
  for (let row = 0, y = 0; row < rowCount; row++) {
    rows.push([Math.max(0, 1 - (y + panelHeight) / plotHeight), 1 - y / plotHeight]);
    y += panelHeight + (bottom[row] ?? 0) + above;
  }
  const font = { family: fontFamily, size: fontSize, color: inks.text };
  const axesBottom = bottom[rowCount - 1] ?? 0;
  const annotations: Record<string, unknown>[] = [];
  if (caption.length > 0) {
    annotations.push({
      text: caption.map(plotlyText).join("<br>"),
      name: "caption",
      xref: "paper",
      yref: "paper",
      x: 0,
      y: 0,
      xanchor: "left",
      yanchor: "top",
      xshift: pad - (left[0] ?? 0),
      yshift: -(axesBottom + fontSize * 0.3),
      align: "left",
      showarrow: false,
      borderpad: 0,
      font: { ...font, color: inks.muted },
    });
  }
  const layout: Record<string, unknown> = {
    width,
    height,
    font,
    paper_bgcolor: inks.paper,
    plot_bgcolor: inks.paper,
    margin: { l: left[0] ?? 0, r: right, t: top + above, b: axesBottom + captionHeight + pad / 2, pad: 0, autoexpand: false },
    hoverlabel: { font, bgcolor: inks.paper, bordercolor: inks.axis },
    showlegend: legend.length > 0,
  };
  if (title.length > 1) {
    // Plotly sets a title of several lines too high.
    annotations.push({
      text: title.map((text) => `<b>${plotlyText(text)}</b>`).join("<br>"),
      name: "title",
      xref: "paper",
      yref: "paper",
      x: 0,
      y: 1,
      xanchor: "left",
      yanchor: "top",
      xshift: pad - (left[0] ?? 0),
      yshift: top + above - pad * 0.6,
      align: "left",
      showarrow: false,
      borderpad: 0,
      font,
    });
  } else if (title.length === 1) {
    layout["title"] = {
      text: `<b>${plotlyText(title[0] ?? "")}</b>`,
      font,
      x: pad / width,
      xref: "container",
      xanchor: "left",
      y: 1 - (pad * 0.8) / height,
      yref: "container",
      yanchor: "top",
      automargin: false,
    };
  }
  if (legend.length > 0) {
    layout["legend"] = {
      orientation: "h",
      xref: "container",
      x: pad / width,
      xanchor: "left",
      yref: "container",
      y: 1 - (pad * 0.6 + titleHeight) / height,
      yanchor: "top",
      entrywidth: legendPlan.entryWidth,
      entrywidthmode: "pixels",
      itemwidth: legendSymbolWidth,
      tracegroupgap: 0,
      bgcolor: "rgba(0,0,0,0)",
      font,
    };
  }
  return { layout, annotations, columns, rows, panelWidth, panelHeight };
}

/** Columns of equal width, as many as fit. (Plotly breaks a legend's rows at the width of the plotting area.) */
function planLegend(
  names: readonly string[],
  { inner, plotWidth }: { readonly inner: number; readonly plotWidth: number },
  fontSize: number,
): { entryWidth: number; height: number } {
  if (names.length === 0) return { entryWidth: 0, height: 0 };
  const widest = names.reduce((most, name) => Math.max(most, textWidth(name, fontSize)), 0);
  const entryWidth = Math.ceil(Math.min(widest + fontSize, inner - legendSymbolWidth - 25));
  // Plotly puts 5 pixels around each symbol and each entry.
  const columns = Math.max(1, Math.floor((Math.min(inner, plotWidth) - 5) / (entryWidth + legendSymbolWidth + 15)));
  const rows = Math.ceil(names.length / Math.min(columns, names.length));
  return { entryWidth, height: rows * (Math.max(fontSize * lineHeight, 16) + 3) + fontSize * 0.8 };
}
