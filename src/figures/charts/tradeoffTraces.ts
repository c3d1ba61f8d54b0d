import { formatPercentInterval, type Rate, valueOf } from "../estimate";
import type { Trace } from "../figure";
import { plotlyText } from "../textWidth";
import { fade, inks, type SeriesStyle } from "../theme";
import type { LabelPlace } from "./pointLabels";
import { percent, whiskers } from "./rates";
import {
  type PlaneRanges,
  type TradeoffBound,
  type TradeoffFigureOptions,
  type TradeoffFront,
  type TradeoffPoint,
  undominated,
} from "./tradeoffPlane";

/** What a front is drawn with. */
export interface FrontOptions extends TradeoffFigureOptions {
  /** Size of text, over the usual one. */
  readonly unit: number;
  /** Places of these points' labels. */
  readonly placeLabels: (points: readonly TradeoffPoint[]) => LabelPlace[];
}

/** Draws one front of the plane. */
export type DrawFront = (front: TradeoffFront, style: SeriesStyle, options: FrontOptions) => Trace[];

/** An undominated front: its points joined by a line, the dominated ones faded. */
export function frontTraces(front: TradeoffFront, style: SeriesStyle, options: FrontOptions): Trace[] {
  const chosen = undominated(front.points);
  const rest = front.points.map((_, index) => index).filter((index) => !chosen.includes(index));
  const symbol = front.baseline && !style.symbol.includes("open") ? `${style.symbol}-open` : style.symbol;
  const base = { name: plotlyText(front.name), legendgroup: front.name };
  const labels = front.labels ?? options.labels;
  const main: Trace = {
    ...pointsTrace(front, chosen, fade(style.colour, front.baseline ? 0.35 : 0.55)),
    ...base,
    mode: labels ? "lines+markers+text" : "lines+markers",
    line: { color: style.colour, width: front.baseline ? 1.4 : 2.4, dash: style.dash },
    marker: markerOf({ ...style, symbol }, (front.baseline ? 8 : sizeOf(style)) * options.unit),
    ...(labels
      ? {
          text: chosen.map((index) => plotlyText(front.points[index]?.label ?? "")),
          textposition: options.placeLabels(chosen.map((index) => front.points[index]!)),
        }
      : {}),
  };
  if (rest.length === 0) return [main];
  const faded: Trace = {
    ...pointsTrace(front, rest, null),
    ...base,
    mode: "markers",
    showlegend: false,
    marker: { ...markerOf({ ...style, symbol }, (front.baseline ? 7 : sizeOf(style) - 1) * options.unit), opacity: 0.28 },
  };
  return [faded, main];
}

/** A merge and the same merge of clean models, joined by a thin line. */
export function pairTraces(front: TradeoffFront, style: SeriesStyle, options: { readonly unit: number }): Trace[] {
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

function pointsTrace(front: TradeoffFront, indices: readonly number[], whiskerColour: string | null): Trace {
  const points = indices.map((index) => front.points[index]).filter((point): point is TradeoffPoint => point !== undefined);
  const thin = (rates: readonly Rate[]): Record<string, unknown> =>
    whiskerColour === null ? { visible: false } : { ...whiskers(rates), color: whiskerColour, thickness: 1, width: 0 };
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
  const detail = point.detail === undefined ? "" : `<br>${plotlyText(point.detail)}`;
  return `<b>${plotlyText(name)}</b>${label}<br>ACC ${formatPercentInterval(point.acc)} %<br>ASR ${formatPercentInterval(point.asr)} %${detail}`;
}

/** A bound or the floor, as a line across the plane. */
export function boundTrace(bound: TradeoffBound, index: number, ranges: PlaneRanges): Trace {
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
