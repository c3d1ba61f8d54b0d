import { type Arranged, arrange, lineHeight } from "../arrange";
import { axisTitleSpace, percentAxis, valueAxisSpace } from "../axes";
import { formatPercentInterval, intervalOf, type Rate, valueOf } from "../estimate";
import { figureConfig, type Figure, type FigureOptions, makeFigure, type ResolvedFrame, type Specification, type Trace } from "../figure";
import { plotlyText, textWidth } from "../textWidth";
import { fade, familyOf, inks, type SeriesStyle, type StyleName, styles } from "../theme";
import { type MeasureName, type MethodRow } from "./methods";
import { percent, whiskers } from "./rates";

/** One run in the plane of ACC and ASR, both fractions in [0, 1]. */
export interface TradeoffPoint {
  readonly acc: Rate;
  readonly asr: Rate;
  /** What produced it, such as "α = 0.1, seed 3": shown on hover, and beside the point with `labels`. */
  readonly label?: string;
  /** Default: computed within its own front (some other point has no less ACC and no more ASR, and differs). */
  readonly dominated?: boolean;
}

/** The runs of one method over its knob (α, a coefficient's scale). */
export interface TradeoffFront {
  readonly name: string;
  /** Default: found from the name. */
  readonly family?: StyleName;
  readonly points: readonly TradeoffPoint[];
  /** A baseline is drawn thinner, with open markers. */
  readonly baseline?: boolean;
}

/** A horizontal (`asr`) or vertical (`acc`) reference with its name. */
export interface TradeoffBound {
  readonly name: string;
  readonly asr?: Rate;
  readonly acc?: Rate;
}

/** Everything in the trade-off plane. */
export interface TradeoffPlane {
  readonly fronts: readonly TradeoffFront[];
  /** The floor (ASR of the all-clean merge; what lies below can't be removed), and bounds of individual models. */
  readonly bounds?: readonly TradeoffBound[];
}

/** Options of `paretoFigure` and `tradeoffFigure`. */
export interface TradeoffFigureOptions extends FigureOptions {
  readonly accTitle?: string;
  readonly asrTitle?: string;
  /** Ranges in percent; default from the points. */
  readonly accRange?: readonly [number, number];
  readonly asrRange?: readonly [number, number];
  /** Write each undominated point's label beside it. */
  readonly labels?: boolean;
}

/** Indices of the points that no other point dominates (ACC up, ASR down), by growing ACC; points without both values are left out. */
export function undominated(points: readonly TradeoffPoint[]): number[] {
  const known = points.flatMap((point, index) => {
    const [acc, asr] = [valueOf(point.acc), valueOf(point.asr)];
    return acc === null || asr === null ? [] : [{ index, acc, asr }];
  });
  const beaten = (mine: (typeof known)[number]): boolean =>
    known.some((other) => other.acc >= mine.acc && other.asr <= mine.asr && (other.acc > mine.acc || other.asr < mine.asr));
  const front = known.filter((point) => !(points[point.index]?.dominated ?? beaten(point)));
  return front.sort((a, b) => a.acc - b.acc || a.asr - b.asr).map((point) => point.index);
}

/**
 * Fronts of ACC against ASR: undominated points joined by a line, dominated ones faded, baselines thinner with open markers, floor and
 * bounds as lines, intervals in both directions.
 */
export function paretoFigure(plane: TradeoffPlane, options: TradeoffFigureOptions = {}): Figure {
  const points = plane.fronts.flatMap((front) => front.points);
  return makeFigure({
    options,
    intervals: points.some((point) => intervalOf(point.acc) !== null || intervalOf(point.asr) !== null) ? "whiskers" : undefined,
    alt: `ACC against ASR: ${plane.fronts.map((front) => `${front.name} (${front.points.length} runs)`).join("; ")}`,
    draw: (frame) => drawPlane(frame, plane, options, frontTraces),
  });
}

/**
 * Methods in the plane of ACC and ASR, one marker each, and a thin line down to the hollow marker of the same merge of clean models.
 * @param options.asr which ASR; default "asrAttacked".
 */
export function tradeoffFigure(rows: readonly MethodRow[], options: TradeoffFigureOptions & { readonly asr?: MeasureName } = {}): Figure {
  const asr = options.asr ?? "asrAttacked";
  const fronts = rows.map((row): TradeoffFront => ({
    name: row.name,
    family: row.family ?? familyOf(row.name),
    points: [row.averages, ...(row.floor ? [row.floor] : [])].map((averages, index) => ({
      acc: averages.acc ?? null,
      asr: averages[asr] ?? null,
      label: index === 0 ? "with backdoored models" : "clean models only (floor)",
    })),
  }));
  return makeFigure({
    options,
    intervals: fronts.some((front) => front.points.some((point) => intervalOf(point.acc) ?? intervalOf(point.asr)))
      ? "whiskers"
      : undefined,
    alt: `Methods by ACC and ASR: ${rows.map((row) => row.name).join(", ")}; hollow markers are merges of clean models only`,
    draw: (frame) => drawPlane(frame, { fronts }, options, pairTraces),
  });
}

type DrawFront = (front: TradeoffFront, style: SeriesStyle, options: TradeoffFigureOptions & { readonly unit: number }) => Trace[];

function drawPlane(frame: ResolvedFrame, plane: TradeoffPlane, options: TradeoffFigureOptions, drawFront: DrawFront): Specification {
  const { fontSize } = frame;
  const bounds = plane.bounds ?? [];
  const below = 8 + fontSize * lineHeight + axisTitleSpace(fontSize);
  const arranged = arrange({
    frame,
    left: [valueAxisSpace(fontSize, { title: true })],
    bottom: [below],
    panelHeight: Math.max(190, Math.min(frame.width * 0.52, 420)),
    legend: [...plane.fronts.map((front) => front.name), ...bounds.map((bound) => bound.name)],
  });
  const points = plane.fronts.flatMap((front) => front.points);
  const ranges = {
    acc: options.accRange ?? rangeOf([...points.map((point) => point.acc), ...bounds.map((bound) => bound.acc ?? null)]),
    asr: options.asrRange ?? rangeOf([...points.map((point) => point.asr), ...bounds.map((bound) => bound.asr ?? null)]),
  };
  const used = new Map<StyleName, number>();
  const data = plane.fronts.flatMap((front) => {
    const family = front.family ?? familyOf(front.name);
    const variant = used.get(family) ?? 0;
    used.set(family, variant + 1);
    return drawFront(front, variantOf(styles[family], variant), { ...options, unit: fontSize / 13 });
  });
  data.push(...bounds.map((bound, index) => boundTrace(bound, index, ranges)));
  const title = (text: string, hint: string, pixels: number): string =>
    textWidth(`${text}, ${hint}`, fontSize) < pixels ? `${text}, ${hint}` : text;
  return { data, layout: planeLayout(arranged, ranges, options, fontSize, title), config: figureConfig };
}

function planeLayout(
  arranged: Arranged,
  ranges: { readonly acc: readonly [number, number]; readonly asr: readonly [number, number] },
  options: TradeoffFigureOptions,
  fontSize: number,
  title: (text: string, hint: string, pixels: number) => string,
): Record<string, unknown> {
  return {
    ...arranged.layout,
    annotations: arranged.annotations,
    hovermode: "closest",
    xaxis: percentAxis(arranged.columns[0] ?? [0, 1], "y", {
      title: title(options.accTitle ?? "ACC (%)", "higher is better", arranged.panelWidth),
      range: ranges.acc,
      pixels: arranged.panelWidth * 0.7,
      fontSize,
    }),
    yaxis: percentAxis(arranged.rows[0] ?? [0, 1], "x", {
      title: title(options.asrTitle ?? "ASR (%)", "lower is better", arranged.panelHeight),
      range: ranges.asr,
      pixels: arranged.panelHeight,
      fontSize,
    }),
  };
}

/** Range in percent around rates and their intervals, with 6 % of air, inside [-2, 104]. */
function rangeOf(rates: readonly Rate[]): [number, number] {
  const ends = rates.flatMap((rate) => {
    const value = valueOf(rate);
    return value === null ? [] : [value, ...(intervalOf(rate) ?? [])].map((end) => end * 100);
  });
  if (ends.length === 0) return [0, 104];
  const low = ends.reduce((least, end) => Math.min(least, end));
  const high = ends.reduce((most, end) => Math.max(most, end));
  const air = Math.max(2, (high - low) * 0.06);
  return [Math.max(-2, low - air), Math.min(104, high + air)];
}

/** The n-th method of one family: same colour and shape; open, dotted, open dotted. */
function variantOf(style: SeriesStyle, variant: number): SeriesStyle {
  const endings = ["", "-open", "-dot", "-open-dot"];
  const dashes = [style.dash, "dot", "dash", "longdashdot"] as const;
  return { ...style, symbol: style.symbol + (endings[variant % 4] ?? ""), dash: dashes[variant % 4] ?? style.dash };
}

function frontTraces(front: TradeoffFront, style: SeriesStyle, options: TradeoffFigureOptions & { readonly unit: number }): Trace[] {
  const chosen = undominated(front.points);
  const rest = front.points.map((_, index) => index).filter((index) => !chosen.includes(index));
  const symbol = front.baseline && !style.symbol.includes("open") ? `${style.symbol}-open` : style.symbol;
  const base = { name: plotlyText(front.name), legendgroup: front.name };
  const main: Trace = {
    ...pointsTrace(front, chosen, fade(style.colour, 0.55)),
    ...base,
    mode: options.labels ? "lines+markers+text" : "lines+markers",
    line: { color: style.colour, width: front.baseline ? 1.4 : 2.4, dash: style.dash },
    marker: markerOf({ ...style, symbol }, (front.baseline ? 8 : sizeOf(style)) * options.unit),
    ...(options.labels ? { text: chosen.map((index) => plotlyText(front.points[index]?.label ?? "")), textposition: "bottom right" } : {}),
  };
  if (rest.length === 0) return [main];
  const faded: Trace = {
    ...pointsTrace(front, rest, fade(style.colour, 0.2)),
    ...base,
    mode: "markers",
    showlegend: false,
    marker: { ...markerOf({ ...style, symbol }, (front.baseline ? 7 : sizeOf(style) - 1) * options.unit), opacity: 0.28 },
  };
  return [faded, main];
}

function pairTraces(front: TradeoffFront, style: SeriesStyle, options: { readonly unit: number }): Trace[] {
  const base = { name: plotlyText(front.name), legendgroup: front.name };
  const marker = markerOf(style, (sizeOf(style) + 2) * options.unit);
  const traces: Trace[] = [{ ...pointsTrace(front, [0], fade(style.colour, 0.6)), ...base, mode: "markers", marker }];
  if (front.points.length > 1) {
    const ends = front.points.slice(0, 2);
    traces.unshift({
      type: "scatter",
      mode: "lines",
      ...base,
      showlegend: false,
      hoverinfo: "skip",
      x: ends.map((point) => percent(valueOf(point.acc))),
      y: ends.map((point) => percent(valueOf(point.asr))),
      line: { color: fade(style.colour, 0.6), width: 1.2, dash: "dot" },
    });
    traces.push({
      ...pointsTrace(front, [1], fade(style.colour, 0.3)),
      ...base,
      mode: "markers",
      showlegend: false,
      marker: { ...marker, symbol: "circle-open", size: 7 * options.unit },
    });
  }
  return traces;
}

/** Filled markers with a dot get a light outline, so that the dot shows. */
function markerOf(style: SeriesStyle, size: number): Record<string, unknown> {
  const dotted = style.symbol.endsWith("-dot") && !style.symbol.includes("open");
  return {
    symbol: style.symbol,
    size: dotted ? size + 1 : size,
    color: style.colour,
    line: { color: dotted ? inks.paper : style.colour, width: 1.4 },
  };
}

/** Stars look smaller than squares of the same size. */
function sizeOf(style: SeriesStyle): number {
  return style.symbol.startsWith("star") ? 12 : 9;
}

function pointsTrace(front: TradeoffFront, indices: readonly number[], whiskerColour: string): Trace {
  const points = indices.map((index) => front.points[index]).filter((point): point is TradeoffPoint => point !== undefined);
  const thin = (rates: readonly Rate[]): Record<string, unknown> => ({ ...whiskers(rates), color: whiskerColour, thickness: 1, width: 0 });
  return {
    type: "scatter",
    x: points.map((point) => percent(valueOf(point.acc))),
    y: points.map((point) => percent(valueOf(point.asr))),
    error_x: thin(points.map((point) => point.acc)),
    error_y: thin(points.map((point) => point.asr)),
    hovertext: points.map((point) => hoverText(front.name, point)),
    hovertemplate: "%{hovertext}<extra></extra>",
  };
}

function hoverText(name: string, point: TradeoffPoint): string {
  const label = point.label === undefined ? "" : `<br>${plotlyText(point.label)}`;
  return `<b>${plotlyText(name)}</b>${label}<br>ACC ${formatPercentInterval(point.acc)} %<br>ASR ${formatPercentInterval(point.asr)} %`;
}

function boundTrace(
  bound: TradeoffBound,
  index: number,
  ranges: { readonly acc: readonly [number, number]; readonly asr: readonly [number, number] },
): Trace {
  const asr = percent(valueOf(bound.asr));
  const acc = percent(valueOf(bound.acc));
  const dashes = ["dot", "dash", "dashdot", "longdash"];
  return {
    type: "scatter",
    mode: "lines",
    name: plotlyText(bound.name),
    x: asr === null ? [acc, acc] : [...ranges.acc],
    y: asr === null ? [...ranges.asr] : [asr, asr],
    line: { color: index === 0 ? inks.text : inks.axis, width: 1.6, dash: dashes[index % dashes.length] },
    hovertext: Array.from({ length: 2 }, () => `${plotlyText(bound.name)}: ${formatPercentInterval(bound.asr ?? bound.acc)} %`),
    hovertemplate: "%{hovertext}<extra></extra>",
  };
}
