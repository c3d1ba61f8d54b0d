import { type Arranged, arrange, lineHeight } from "../arrange";
import { axisTitleSpace, percentAxis, valueAxisSpace } from "../axes";
import { intervalOf, valueOf } from "../estimate";
import { figureConfig, type Figure, makeFigure, type ResolvedFrame, type Specification } from "../figure";
import { textWidth } from "../textWidth";
import { familyOf, type StyleName, styles, variantOf } from "../theme";
import { type MeasureName, type MethodRow } from "./methods";
import { type LabelPlace, type PlacedPoint, placeLabels } from "./pointLabels";
import {
  placeBounds,
  type PlaneRanges,
  type TradeoffFigureOptions,
  type TradeoffFront,
  type TradeoffPlane,
  type TradeoffPoint,
} from "./tradeoffPlane";
import { boundTrace, type DrawFront, frontTraces, pairTraces } from "./tradeoffTraces";

/**
 * Fronts of ACC against ASR: undominated points joined by a line, dominated ones faded, baselines thinner with open markers, floor and
 * bounds as lines, intervals in both directions.
 */
export function paretoFigure(plane: TradeoffPlane, options: TradeoffFigureOptions = {}): Figure {
  const points = plane.fronts.flatMap((front) => front.points);
  return makeFigure({
    options,
    intervals: points.some((point) => intervalOf(point.acc) !== null || intervalOf(point.asr) !== null) ? "whiskers" : undefined,
    alt: `ACC against ASR: ${plane.fronts.map((front) => `${front.name} (${front.points.length} ${front.points.length === 1 ? "point" : "points"})`).join("; ")}`,
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

function drawPlane(frame: ResolvedFrame, plane: TradeoffPlane, options: TradeoffFigureOptions, drawFront: DrawFront): Specification {
  const { fontSize } = frame;
  const { ranges, bounds } = placeBounds(plane, options);
  const below = 8 + fontSize * lineHeight + axisTitleSpace(fontSize);
  const arranged = arrange({
    frame,
    left: [valueAxisSpace(fontSize, { title: true })],
    bottom: [below],
    panelHeight: Math.max(190, Math.min(frame.width * 0.52, 420)),
    legend: [...plane.fronts.map((front) => front.name), ...bounds.map((bound) => bound.name)],
  });
  const pixels = ({ acc, asr }: TradeoffPoint): PlacedPoint => ({
    x: (((valueOf(acc) ?? 0) * 100 - ranges.acc[0]) / (ranges.acc[1] - ranges.acc[0])) * arranged.panelWidth,
    y: ((ranges.asr[1] - (valueOf(asr) ?? 0) * 100) / (ranges.asr[1] - ranges.asr[0])) * arranged.panelHeight,
  });
  const markers = plane.fronts.flatMap((front) => front.points).map(pixels);
  const place = (points: readonly TradeoffPoint[]): LabelPlace[] =>
    placeLabels(
      points.map((point) => ({ text: point.label ?? "", at: pixels(point) })),
      markers,
      { fontSize, width: arranged.panelWidth, height: arranged.panelHeight },
    );
  const used = new Map<StyleName, number>();
  const data = plane.fronts.flatMap((front) => {
    const family = front.family ?? familyOf(front.name);
    const variant = used.get(family) ?? 0;
    used.set(family, variant + 1);
    return drawFront(front, variantOf(styles[family], variant), { ...options, unit: fontSize / 13, placeLabels: place });
  });
  data.push(...bounds.map((bound, index) => boundTrace(bound, index, ranges)));
  const title = (text: string, hint: string, pixels: number): string =>
    textWidth(`${text}, ${hint}`, fontSize) < pixels ? `${text}, ${hint}` : text;
  return { data, layout: planeLayout(arranged, ranges, options, fontSize, title), config: figureConfig };
}

function planeLayout(
  arranged: Arranged,
  ranges: PlaneRanges,
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
