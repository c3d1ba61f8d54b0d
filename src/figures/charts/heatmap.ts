import { arrange, lineHeight } from "../arrange";
import { axisTitleSpace, categoryLabels, plainAxis, titled } from "../axes";
import { formatNumber } from "../estimate";
import { figureConfig, type Figure, type FigureOptions, makeFigure, type ResolvedFrame, type Specification } from "../figure";
import { plotlyText, textWidth, widestLine, wrapText } from "../textWidth";
import { inks } from "../theme";

/** Values by row and column, such as mask density by kind of parameter and block. */
export interface LayerGrid {
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** `[row][column]`; null where there is no such parameter. With `percent`, fractions in [0, 1]. */
  readonly values: readonly (readonly (number | null)[])[];
}

/** Options of `heatmapFigure`. */
export interface HeatmapFigureOptions extends FigureOptions {
  /** What the colour means, with its unit. */
  readonly valueTitle?: string;
  readonly xTitle?: string;
  readonly yTitle?: string;
  readonly percent?: boolean;
  /** Decimals in cells and hover; default 2 (0 in percent). */
  readonly digits?: number;
  /** Ends of the colour scale in the unit shown; default from the values. */
  readonly range?: readonly [number, number];
  /** Two-sided colours around this value (in the unit shown), such as 0 for differences. */
  readonly centre?: number;
}

/** Cividis, which reads the same with every kind of colour vision and in grey (Nuñez et al. 2018). */
const sequential = [
  [0, "#00224e"],
  [0.2, "#35456c"],
  [0.4, "#666970"],
  [0.6, "#948e77"],
  [0.8, "#c8b866"],
  [1, "#fee838"],
] as const;
const diverging = [
  [0, "#0072b2"],
  [0.5, "#f7f7f7"],
  [1, "#d55e00"],
] as const;

/**
 * A heatmap by layer and block; numbers are written into the cells where they fit.
 * @throws {RangeError} if the values are not one row a row name and one value a column name.
 */
export function heatmapFigure(grid: LayerGrid, options: HeatmapFigureOptions = {}): Figure {
  const wrong = grid.values.find((row) => row.length !== grid.columns.length);
  if (grid.values.length !== grid.rows.length || wrong !== undefined) {
    const got = `${grid.values.length} rows of ${String((wrong ?? grid.values[0] ?? []).length)}`;
    throw new RangeError(`Cannot draw heatmap: expected ${grid.rows.length} rows of ${grid.columns.length} values, got ${got}`);
  }
  return makeFigure({
    options,
    alt: `Heatmap of ${options.valueTitle ?? "values"}: rows ${grid.rows.join(", ")}; columns ${grid.columns.join(", ")}`,
    draw: (frame) => drawHeatmap(frame, grid, options),
  });
}

function drawHeatmap(frame: ResolvedFrame, grid: LayerGrid, options: HeatmapFigureOptions): Specification {
  const { fontSize } = frame;
  const scale = options.percent ? 100 : 1;
  const digits = options.digits ?? (options.percent ? 0 : 2);
  const z = grid.values.map((row) => row.map((value) => (value === null || !Number.isFinite(value) ? null : value * scale)));
  const known = z.flat().filter((value): value is number => value !== null);
  const [low, high] = colourRange(known, options);
  const labels = grid.rows.map((row) => wrapText(row, frame.width * 0.3, fontSize, { maxLines: 2 }));
  const titleSpace = options.yTitle === undefined ? 0 : fontSize * lineHeight + 8;
  const left = widestLine(labels.flat(), fontSize) + 8 + fontSize * 0.75 + titleSpace;
  const barTicks = [low, high].map((value) => textWidth(formatNumber(value, digits), fontSize));
  const barTitle = options.valueTitle === undefined ? 0 : fontSize * lineHeight + 8;
  const right = fontSize * 0.8 + 14 + 10 + Math.max(...barTicks) + barTitle + fontSize * 0.8;
  const plotWidth = frame.width - left - right;
  const slot = plotWidth / Math.max(1, grid.columns.length);
  const columnLabels = categoryLabels(grid.columns, slot, fontSize);
  // Turned labels need a line's height each: of narrow columns only some are named, the last one among them.
  const every = columnLabels.angle === 0 ? 1 : Math.ceil((fontSize * lineHeight) / slot);
  const named = grid.columns.map((_, column) => column).filter((column) => (grid.columns.length - 1 - column) % every === 0);
  const below = columnLabels.depth + (options.xTitle === undefined ? 0 : axisTitleSpace(fontSize));
  const rowHeight = fontSize * lineHeight * Math.max(1.5, labels.reduce((most, lines) => Math.max(most, lines.length), 1) + 0.2);
  const arranged = arrange({
    frame,
    left: [left],
    bottom: [below],
    right,
    // The colour bar is as high as the panel, and its title stands along it.
    panelHeight: Math.max(rowHeight * Math.max(3, grid.rows.length), textWidth(options.valueTitle ?? "", fontSize) + fontSize),
    legend: [],
  });
  const texts = z.map((row) => row.map((value) => (value === null ? "" : formatNumber(value, digits))));
  const fits = widestLine(texts.flat(), fontSize) < slot * 0.9 && arranged.panelHeight / grid.rows.length > fontSize * 1.2;
  const y = grid.rows.map((_, row) => grid.rows.length - 1 - row);
  const x = grid.columns.map((_, column) => column);
  const hovertext = z.map((row, r) =>
    row.map((value, c) => {
      const shown = value === null ? "none" : formatNumber(value, digits + 1) + (options.percent ? " %" : "");
      return `${plotlyText(grid.rows[r] ?? "")}, ${plotlyText(grid.columns[c] ?? "")}: ${shown}`;
    }),
  );
  const layout = {
    ...arranged.layout,
    annotations: arranged.annotations,
    xaxis: {
      ...plainAxis(arranged.columns[0] ?? [0, 1], "y"),
      ...titled(options.xTitle, fontSize),
      showgrid: false,
      range: [-0.5, grid.columns.length - 0.5],
      tickvals: named,
      ticktext: named.map((column) => columnLabels.text[column]),
      tickangle: columnLabels.angle,
    },
    yaxis: {
      ...plainAxis(arranged.rows[0] ?? [0, 1], "x"),
      ...titled(options.yTitle, fontSize),
      showgrid: false,
      ticks: "",
      ticklabelstandoff: 4,
      range: [-0.5, grid.rows.length - 0.5],
      tickvals: y,
      ticktext: labels.map((lines) => lines.map(plotlyText).join("<br>")),
    },
    plot_bgcolor: inks.grid,
  };
  const trace = {
    type: "heatmap",
    x,
    y,
    z,
    xgap: 1,
    ygap: 1,
    zmin: low,
    zmax: high,
    colorscale: options.centre === undefined ? sequential : diverging,
    ...(fits ? { text: texts, texttemplate: "%{text}", textfont: { size: fontSize } } : {}),
    hovertext,
    hovertemplate: "%{hovertext}<extra></extra>",
    hoverongaps: false,
    colorbar: {
      thickness: 14,
      len: arranged.panelHeight,
      lenmode: "pixels",
      x: 1,
      xpad: fontSize * 0.8,
      ypad: 0,
      y: 0.5,
      outlinewidth: 0,
      tickfont: { size: fontSize },
      nticks: Math.max(3, Math.floor(arranged.panelHeight / (fontSize * 3))),
      tickformat: `.${digits}f`,
      ...(options.valueTitle === undefined
        ? {}
        : { title: { text: plotlyText(options.valueTitle), side: "right", font: { size: fontSize } } }),
    },
  };
  return { data: [trace], layout, config: figureConfig };
}

function colourRange(known: readonly number[], options: HeatmapFigureOptions): readonly [number, number] {
  if (options.range !== undefined) return options.range;
  const low = known.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const high = known.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  if (!(high > low)) return [Number.isFinite(low) ? low - 0.5 : 0, Number.isFinite(high) ? high + 0.5 : 1];
  if (options.centre === undefined) return [low, high];
  const reach = Math.max(high - options.centre, options.centre - low);
  return [options.centre - reach, options.centre + reach];
}
