import { arrange, lineHeight } from "../arrange";
import { axisTitleSpace, percentAxis, plainAxis } from "../axes";
import { formatPercent, formatPercentInterval, intervalOf, type Rate, valueOf } from "../estimate";
import { figureConfig, type Figure, type FigureOptions, makeFigure, type ResolvedFrame, type Specification, type Trace } from "../figure";
import { plotlyText, widestLine, wrapText } from "../textWidth";
import { familyOf, inks, type StyleName, styles } from "../theme";
import { barMarker, percent, whiskers } from "./rates";

/** Averages that methods are compared by; titles as on axes. */
export const measureTitles = {
  acc: "ACC (%)",
  asrAttacked: "ASR, attacked tasks (%)",
  asrAll: "ASR, all tasks (%)",
  asrClean: "ASR, clean tasks (%)",
} as const;

/** Name of an average over tasks. */
export type MeasureName = keyof typeof measureTitles;

/** Averages of one merged model, fractions in [0, 1]. */
export type Averages = Partial<Readonly<Record<MeasureName, Rate>>>;

/** One method's merge, and the floor: the same merge of clean models. */
export interface MethodRow {
  readonly name: string;
  /** Default: found from the name. */
  readonly family?: StyleName;
  readonly averages: Averages;
  readonly floor?: Averages;
}

/** Options of `methodsFigure`. */
export interface MethodsFigureOptions extends FigureOptions {
  /** Panels, left to right; default those that any row has, ACC first. */
  readonly measures?: readonly MeasureName[];
  /** Legend entry of the floor; default "same merge of clean models (floor)". */
  readonly floorName?: string;
}

/**
 * One bar a method and a panel a measure, values printed at the right, the all-clean floor as a mark on each bar: backdoor succession.
 * @throws {RangeError} if there are no rows.
 */
export function methodsFigure(rows: readonly MethodRow[], options: MethodsFigureOptions = {}): Figure {
  if (rows.length === 0) throw new RangeError("Cannot draw figure of methods: expected at least 1 row, got 0");
  const all = Object.keys(measureTitles) as MeasureName[];
  const shown = options.measures ?? all.filter((measure) => rows.some((row) => valueOf(row.averages[measure]) !== null));
  const listed = rows.map((row) => `${row.name} ${shown.map((measure) => formatPercent(row.averages[measure])).join("/")}`);
  return makeFigure({
    options,
    intervals: rows.some((row) => shown.some((measure) => intervalOf(row.averages[measure]) !== null)) ? "whiskers" : undefined,
    alt: `Bars by method, ${shown.map((measure) => measureTitles[measure]).join(" and ")}: ${listed.join("; ")}`,
    draw: (frame) => drawMethods(frame, rows, shown, options),
  });
}

function drawMethods(
  frame: ResolvedFrame,
  rows: readonly MethodRow[],
  shown: readonly MeasureName[],
  options: MethodsFigureOptions,
): Specification {
  const { fontSize } = frame;
  const sideBySide = frame.width >= 500;
  const labels = rows.map((row) =>
    wrapText(row.name, Math.min(frame.width * 0.34, 16 * fontSize), fontSize, { maxLines: sideBySide ? 2 : 3 }),
  );
  const left = widestLine(labels.flat(), fontSize) + 14;
  const columns = sideBySide ? shown.length : 1;
  const deepest = labels.reduce((most, lines) => Math.max(most, lines.length), 1);
  const rowHeight = fontSize * lineHeight * Math.max(1.35, deepest * 0.92 + 0.3);
  const hasFloor = rows.some((row) => row.floor !== undefined);
  const floorName = options.floorName ?? "same merge of clean models (floor)";
  const below = 8 + fontSize * lineHeight + axisTitleSpace(fontSize);
  const arranged = arrange({
    frame,
    left: [left, ...Array.from({ length: columns - 1 }, () => fontSize)],
    bottom: Array.from({ length: sideBySide ? 1 : shown.length }, (_, row) => below + (sideBySide || row === shown.length - 1 ? 0 : 6)),
    panelHeight: rowHeight * rows.length + fontSize * 0.5,
    legend: hasFloor ? [floorName] : [],
  });
  const data: Trace[] = [];
  const annotations = [...arranged.annotations];
  const layout: Record<string, unknown> = { ...arranged.layout, barmode: "overlay", annotations };
  const positions = rows.map((_, index) => rows.length - 1 - index);
  shown.forEach((measure, panel) => {
    const suffix = panel === 0 ? "" : String(panel + 1);
    const xDomain = arranged.columns[sideBySide ? panel : 0] ?? [0, 1];
    const yDomain = arranged.rows[sideBySide ? 0 : panel] ?? [0, 1];
    // The numbers stand in a column of their own right of 100 %.
    const room = ((fontSize * 3) / arranged.panelWidth) * 100;
    const axis = percentAxis(xDomain, `y${suffix}`, { title: measureTitles[measure], pixels: arranged.panelWidth * 0.8, fontSize });
    const step = axis["dtick"] as number;
    layout[`xaxis${suffix}`] = {
      ...axis,
      tickvals: Array.from({ length: Math.floor(100 / step) + 1 }, (_, tick) => tick * step),
      range: [0, (100 + room) / (1 - room / 400)],
    };
    layout[`yaxis${suffix}`] = {
      ...plainAxis(yDomain, `x${suffix}`),
      showgrid: false,
      ticks: "",
      range: [-0.6, rows.length - 0.4],
      tickvals: positions,
      ticktext: labels.map((lines) => lines.map(plotlyText).join("<br>")),
      showticklabels: !sideBySide || panel === 0,
      ticklabelstandoff: 4,
      fixedrange: true,
    };
    const axes = { xaxis: `x${suffix}`, yaxis: `y${suffix}` };
    const values = rows.map((row) => row.averages[measure] ?? null);
    data.push({
      type: "bar",
      orientation: "h",
      ...axes,
      showlegend: false,
      x: values.map((rate) => percent(valueOf(rate))),
      y: positions,
      width: 0.66,
      marker: mergeMarkers(rows),
      error_x: whiskers(values),
      hovertext: rows.map((row) => hoverText(row, measure)),
      hovertemplate: "%{hovertext}<extra></extra>",
    });
    if (hasFloor) {
      data.push({
        type: "scatter",
        mode: "markers",
        name: plotlyText(floorName),
        legendgroup: "floor",
        ...axes,
        showlegend: panel === 0,
        x: rows.map((row) => percent(valueOf(row.floor?.[measure]))),
        y: positions,
        marker: {
          symbol: "diamond-tall",
          size: fontSize * 0.85,
          color: inks.paper,
          line: { color: inks.text, width: 1.6 },
        },
        hovertext: rows.map((row) => `<b>${plotlyText(row.name)}</b><br>floor ${formatPercentInterval(row.floor?.[measure])} %`),
        hovertemplate: "%{hovertext}<extra></extra>",
      });
    }
    values.forEach((rate, index) => {
      annotations.push({
        text: formatPercent(rate),
        xref: `x${suffix} domain`,
        yref: `y${suffix}`,
        x: 1,
        y: positions[index],
        xanchor: "right",
        yanchor: "middle",
        showarrow: false,
        borderpad: 0,
        font: { size: fontSize, color: inks.text },
      });
    });
  });
  return { data, layout, config: figureConfig };
}

function mergeMarkers(rows: readonly MethodRow[]): Record<string, unknown> {
  const markers = rows.map((row) => barMarker(styles[row.family ?? familyOf(row.name)]));
  const colours = markers.map((marker) => marker["color"]);
  return { color: colours, line: { color: colours, width: 1 } };
}

function hoverText(row: MethodRow, measure: MeasureName): string {
  const floor = row.floor?.[measure];
  const below = floor === undefined ? "" : `<br>floor ${formatPercentInterval(floor)} %`;
  return `<b>${plotlyText(row.name)}</b><br>${formatPercentInterval(row.averages[measure])} %${below}`;
}
