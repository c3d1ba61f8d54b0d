import { arrange, lineHeight } from "../arrange";
import { axisTitleSpace, percentAxis, plainAxis, titled, valueAxisSpace } from "../axes";
import { formatNumber } from "../estimate";
import { figureConfig, type Figure, type FigureOptions, makeFigure, type ResolvedFrame, type Specification, type Trace } from "../figure";
import { plotlyText } from "../textWidth";
import { fade, palette, type SeriesStyle, type StyleName, styles, variantOf } from "../theme";

/** One line of a panel. */
export interface LineSeries {
  readonly name: string;
  /** A family's style; default: the palette in order. */
  readonly style?: StyleName;
  /** Which line of its family this is, from 0: further ones differ in marker and dash. */
  readonly variant?: number;
  readonly x: readonly number[];
  /** null leaves a gap. In panels with `percent`, fractions in [0, 1]. */
  readonly y: readonly (number | null)[];
  /** Ends of the interval at each point. */
  readonly low?: readonly number[];
  readonly high?: readonly number[];
  /** How intervals are drawn; default: a band, which suits many points of few lines. */
  readonly intervals?: "band" | "whiskers";
  /** Show the points too; default for at most 12 of them. */
  readonly markers?: boolean;
}

/** One panel of lines; panels lie below each other and share the horizontal axis. */
export interface LinePanel {
  readonly title: string;
  readonly series: readonly LineSeries[];
  /** Fractions shown in percent. */
  readonly percent?: boolean;
  readonly log?: boolean;
  /** Without numbers along the vertical axis, as a sketch is. */
  readonly bare?: boolean;
  /** Range of the vertical axis, in the unit shown. */
  readonly range?: readonly [number, number];
}

/** Options of `linesFigure`. */
export interface LinesFigureOptions extends FigureOptions {
  /** Title of the horizontal axis; default "step". */
  readonly xTitle?: string;
  readonly xLog?: boolean;
  /** Values at which the horizontal axis has ticks, with their texts; default as plotly chooses. */
  readonly xTicks?: readonly { readonly value: number; readonly text: string }[];
}

const orderedStyles: readonly SeriesStyle[] = (
  [
    [palette.blue, "circle", "solid"],
    [palette.vermillion, "diamond", "dash"],
    [palette.green, "triangle-up", "dashdot"],
    [palette.purple, "pentagon", "5px,2px"],
    [palette.orange, "square", "longdash"],
    [palette.sky, "hexagon", "dot"],
    [palette.black, "triangle-down", "longdashdot"],
    [palette.grey, "star", "dot"],
  ] as const
).map(([colour, symbol, dash]) => ({ colour, symbol, dash, pattern: "" }));

/**
 * Lines over steps (or any number): losses, mask density, rates over α or over the number of merged models.
 * @throws {RangeError} if a series has not as many y as x.
 */
export function linesFigure(panels: readonly LinePanel[], options: LinesFigureOptions = {}): Figure {
  for (const series of panels.flatMap((panel) => panel.series)) {
    for (const [key, values] of Object.entries({ y: series.y, low: series.low, high: series.high })) {
      if (values !== undefined && values.length !== series.x.length) {
        throw new RangeError(`Cannot draw line "${series.name}": expected ${series.x.length} values of ${key}, got ${values.length}`);
      }
    }
  }
  const names = panels.map((panel) => `${panel.title} (${panel.series.map((series) => series.name).join(", ")})`);
  return makeFigure({
    options,
    intervals: intervalsOf(panels),
    alt: `Lines over ${options.xTitle ?? "step"}: ${names.join("; ")}`,
    draw: (frame) => drawLines(frame, panels, options),
  });
}

function intervalsOf(panels: readonly LinePanel[]): "bands" | "whiskers" | undefined {
  const known = panels.flatMap(({ series }) => series).filter(({ low, high }) => low !== undefined && high !== undefined);
  if (known.length === 0) return undefined;
  return known.every(({ intervals }) => intervals === "whiskers") ? "whiskers" : "bands";
}

function drawLines(frame: ResolvedFrame, panels: readonly LinePanel[], options: LinesFigureOptions): Specification {
  const { fontSize } = frame;
  const names = [...new Set(panels.flatMap((panel) => panel.series.map((series) => series.name)))];
  const widest = panels.map(widestTick).reduce((most, text) => (text.length > most.length ? text : most), "");
  const below = 8 + fontSize * lineHeight + axisTitleSpace(fontSize);
  const arranged = arrange({
    frame,
    left: [valueAxisSpace(fontSize, { widest, title: true })],
    bottom: panels.map((_, row) => (row === panels.length - 1 ? below : fontSize * 1.1)),
    panelHeight: panels.length === 1 ? frame.width * 0.4 : Math.max(110, frame.width * 0.22),
    legend: names.length > 1 ? names : [],
  });
  const data: Trace[] = [];
  const layout: Record<string, unknown> = { ...arranged.layout, annotations: arranged.annotations, hovermode: "x unified" };
  const listed = new Set<string>();
  panels.forEach((panel, row) => {
    const suffix = row === 0 ? "" : String(row + 1);
    const last = row === panels.length - 1;
    const domain = arranged.rows[row] ?? [0, 1];
    const range = panel.range === undefined ? {} : { range: panel.range };
    layout[`yaxis${suffix}`] = panel.percent
      ? percentAxis(domain, `x${suffix}`, { title: panel.title, pixels: arranged.panelHeight, fontSize, ...range })
      : {
          ...plainAxis(domain, `x${suffix}`),
          ...titled(panel.title, fontSize),
          ...range,
          ...(panel.log ? { type: "log", exponentformat: "power" } : {}),
          nticks: Math.max(3, Math.floor(arranged.panelHeight / (fontSize * 2.6))),
          ...(panel.bare && { showticklabels: false, ticks: "" }),
        };
    layout[`xaxis${suffix}`] = {
      ...plainAxis(arranged.columns[0] ?? [0, 1], `y${suffix}`),
      ...(last ? titled(options.xTitle ?? "step", fontSize) : {}),
      ...(options.xLog ? { type: "log", exponentformat: "power" } : {}),
      ...(row === 0 ? {} : { matches: "x" }),
      ...(options.xTicks
        ? { tickvals: options.xTicks.map(({ value }) => value), ticktext: options.xTicks.map(({ text }) => text) }
        : { nticks: Math.max(3, Math.floor(arranged.panelWidth / (fontSize * 5))) }),
      showticklabels: last,
      ticks: last ? "outside" : "",
    };
    for (const series of panel.series) {
      const style =
        series.style === undefined ? orderedStyle(names.indexOf(series.name)) : variantOf(styles[series.style], series.variant ?? 0);
      const axes = { xaxis: `x${suffix}`, yaxis: `y${suffix}` };
      data.push(...lineTraces(series, style, { axes, scale: panel.percent ? 100 : 1, showlegend: !listed.has(series.name) }));
      listed.add(series.name);
    }
  });
  return { data, layout, config: figureConfig };
}

/** A text as wide as the widest tick label of a panel's vertical axis. */
function widestTick(panel: LinePanel): string {
  // Ticks of a short range have a decimal.
  if (panel.percent) return panel.range !== undefined && panel.range[1] - panel.range[0] < 8 ? "88.8" : "100";
  if (panel.bare) return "";
  if (panel.log) return "10−00";
  const values: readonly (number | null)[] =
    panel.range ?? panel.series.flatMap((series) => [...series.y, ...(series.low ?? []), ...(series.high ?? [])]);
  const known = values.filter((value): value is number => value !== null && Number.isFinite(value));
  if (known.length === 0) return "0.0";
  const [low, high] = [known.reduce((a, b) => Math.min(a, b)), known.reduce((a, b) => Math.max(a, b))];
  // Plotly steps by 1, 2 or 5 times a power of ten, about five times.
  const digits = Math.max(0, -Math.floor(Math.log10((high - low || Math.abs(high) || 1) / 5)));
  return [low, high].map((value) => formatNumber(value, digits)).reduce((a, b) => (a.length > b.length ? a : b));
}

/** Style of the n-th line of a figure whose lines belong to no family. */
export function orderedStyle(index: number): SeriesStyle {
  return orderedStyles[index % orderedStyles.length] ?? styles.other;
}

function lineTraces(
  series: LineSeries,
  style: SeriesStyle,
  context: { axes: Readonly<Record<string, unknown>>; scale: number; showlegend: boolean },
): Trace[] {
  const { axes, scale, showlegend } = context;
  const name = plotlyText(series.name);
  const group = { ...axes, legendgroup: series.name, name };
  const traces: Trace[] = [];
  const whiskered = series.intervals === "whiskers";
  if (series.low && series.high && !whiskered) {
    const edge = {
      type: "scatter",
      mode: "lines",
      ...group,
      x: series.x,
      line: { width: 0, color: style.colour },
      showlegend: false,
      hoverinfo: "skip",
    };
    traces.push({ ...edge, y: series.low.map((value) => value * scale) });
    traces.push({ ...edge, y: series.high.map((value) => value * scale), fill: "tonexty", fillcolor: fade(style.colour, 0.16) });
  }
  traces.push({
    type: "scatter",
    mode: (series.markers ?? series.x.length <= 12) ? "lines+markers" : "lines",
    ...group,
    showlegend,
    x: series.x,
    y: series.y.map((value) => (value === null ? null : value * scale)),
    line: { color: style.colour, width: 2, dash: style.dash },
    marker: { symbol: style.symbol, size: 8, color: style.colour },
    ...(whiskered && { error_y: whiskersOf(series, style.colour, scale) }),
    connectgaps: false,
    hovertemplate: `%{y:.3~g}`,
  });
  return traces;
}

function whiskersOf({ y, low, high }: LineSeries, color: string, scale: number): Record<string, unknown> {
  if (low === undefined || high === undefined) return { visible: false };
  const array = y.map((value, index) => (value === null ? 0 : (high[index]! - value) * scale));
  const arrayminus = y.map((value, index) => (value === null ? 0 : (value - low[index]!) * scale));
  return { type: "data", symmetric: false, array, arrayminus, color, thickness: 1.3, width: 4 };
}
