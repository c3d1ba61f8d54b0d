import { arrange } from "../arrange";
import { categoryLabels, percentAxis, plainAxis, valueAxisSpace } from "../axes";
import { formatPercentInterval, intervalOf, type Rate, valueOf } from "../estimate";
import { figureConfig, type Figure, type FigureOptions, makeFigure, type ResolvedFrame, type Specification, type Trace } from "../figure";
import { plotlyText } from "../textWidth";
import { type SeriesStyle, type StyleName, inks, styles } from "../theme";

/** One group of bars: the same condition or method over all categories. */
export interface RateSeries {
  readonly name: string;
  readonly style: StyleName;
  /** One ACC for each category, fractions in [0, 1]. */
  readonly acc?: readonly Rate[];
  /** One ASR for each category, fractions in [0, 1]. */
  readonly asr?: readonly Rate[];
}

/** A reference drawn as a line across each category's group: a floor, or the bounds of the individual models. */
export interface RateBound {
  readonly name: string;
  readonly style?: StyleName;
  readonly acc?: readonly Rate[];
  readonly asr?: readonly Rate[];
}

/** ACC and ASR by task. */
export interface RatesByTask {
  /** Titles of the tasks (or other categories), in order. */
  readonly tasks: readonly string[];
  readonly series: readonly RateSeries[];
  readonly bounds?: readonly RateBound[];
}

/** Options of `ratesFigure`. */
export interface RatesFigureOptions extends FigureOptions {
  /** Axis titles of the panels. */
  readonly measureTitles?: { readonly acc?: string; readonly asr?: string };
}

const measures = ["acc", "asr"] as const;
type Measure = (typeof measures)[number];

/**
 * Grouped bars with whiskers, ACC above ASR, one group a task: individual models clean and backdoored, transfer with its bounds, …
 * A panel whose measure no series has is left out.
 * @throws {RangeError} if a series or bound has not one rate for each task.
 */
export function ratesFigure(rates: RatesByTask, options: RatesFigureOptions = {}): Figure {
  const shown = measures.filter((measure) => rates.series.some((series) => series[measure] !== undefined));
  for (const entry of [...rates.series, ...(rates.bounds ?? [])]) {
    for (const measure of measures) {
      const length = entry[measure]?.length ?? rates.tasks.length;
      if (length !== rates.tasks.length) {
        throw new RangeError(`Cannot draw ${measure} of "${entry.name}": expected ${rates.tasks.length} rates, got ${length}`);
      }
    }
  }
  const hasIntervals = rates.series.some((series) => shown.some((measure) => series[measure]?.some((rate) => intervalOf(rate) !== null)));
  const names = rates.series.map((series) => series.name).join(", ");
  return makeFigure({
    options,
    intervals: hasIntervals ? "whiskers" : undefined,
    alt: `Bars of ${shown.map((measure) => measure.toUpperCase()).join(" and ")} in percent for ${rates.tasks.join(", ")}: ${names}`,
    draw: (frame) => drawRates(frame, rates, shown, options),
  });
}

function drawRates(frame: ResolvedFrame, rates: RatesByTask, shown: readonly Measure[], options: RatesFigureOptions): Specification {
  const { fontSize } = frame;
  const left = valueAxisSpace(fontSize, { title: true });
  const labels = categoryLabels(rates.tasks, (frame.width - left - fontSize) / rates.tasks.length, fontSize);
  const bounds = rates.bounds ?? [];
  const arranged = arrange({
    frame,
    left: [left],
    bottom: shown.map((_, row) => (row === shown.length - 1 ? labels.depth : fontSize * 0.9)),
    panelHeight: Math.max(120, Math.min(190, frame.width * 0.24)),
    legend: [...rates.series, ...bounds].map((entry) => entry.name),
  });
  const data: Trace[] = [];
  const layout: Record<string, unknown> = { ...arranged.layout, barmode: "overlay", annotations: arranged.annotations };
  shown.forEach((measure, row) => {
    const suffix = row === 0 ? "" : String(row + 1);
    const last = row === shown.length - 1;
    layout[`yaxis${suffix}`] = percentAxis(arranged.rows[row] ?? [0, 1], `x${suffix}`, {
      title: options.measureTitles?.[measure] ?? `${measure.toUpperCase()} (%)`,
      pixels: arranged.panelHeight,
      fontSize,
    });
    layout[`xaxis${suffix}`] = {
      ...plainAxis(arranged.columns[0] ?? [0, 1], `y${suffix}`),
      showgrid: false,
      range: [-0.5, rates.tasks.length - 0.5],
      tickvals: rates.tasks.map((_, task) => task),
      ticktext: labels.text,
      tickangle: labels.angle,
      showticklabels: last,
      ticks: last ? "outside" : "",
      fixedrange: true,
    };
    const axes = { xaxis: `x${suffix}`, yaxis: `y${suffix}`, showlegend: row === 0 };
    rates.series.forEach((series, index) => {
      const values = series[measure];
      if (values) data.push(barTrace(series, values, { index, count: rates.series.length, tasks: rates.tasks, measure, axes }));
    });
    for (const bound of bounds) {
      const values = bound[measure];
      if (values) data.push(boundTrace(bound, values, { tasks: rates.tasks, measure, axes }));
    }
  });
  return { data: listFirst(data), layout, config: figureConfig };
}

/** Each name appears once in the legend, whichever panel it is in first. */
function listFirst(traces: readonly Trace[]): Trace[] {
  const seen = new Set<unknown>();
  return traces.map((trace) => {
    const first = !seen.has(trace["name"]);
    seen.add(trace["name"]);
    return { ...trace, showlegend: first };
  });
}

interface Placement {
  readonly index: number;
  readonly count: number;
  readonly tasks: readonly string[];
  readonly measure: Measure;
  readonly axes: Readonly<Record<string, unknown>>;
}

function barTrace(series: RateSeries, values: readonly Rate[], placement: Placement): Trace {
  const { index, count, tasks, measure, axes } = placement;
  const slot = 0.78 / count;
  return {
    type: "bar",
    name: plotlyText(series.name),
    legendgroup: series.name,
    ...axes,
    x: tasks.map((_, task) => task),
    y: values.map((rate) => percent(valueOf(rate))),
    width: slot * 0.9,
    offset: -0.39 + index * slot + slot * 0.05,
    marker: barMarker(styles[series.style]),
    error_y: whiskers(values),
    hovertext: values.map((rate, task) => hoverText(tasks[task] ?? "", series.name, measure, rate)),
    hovertemplate: "%{hovertext}<extra></extra>",
  };
}

function boundTrace(bound: RateBound, values: readonly Rate[], placement: Pick<Placement, "tasks" | "measure" | "axes">): Trace {
  const { colour, dash } = styles[bound.style ?? "floor"];
  const x: (number | null)[] = [];
  const y: (number | null)[] = [];
  const hovertext: string[] = [];
  values.forEach((rate, task) => {
    const value = percent(valueOf(rate));
    const text = hoverText(placement.tasks[task] ?? "", bound.name, placement.measure, rate);
    x.push(task - 0.45, task + 0.45, null);
    y.push(value, value, null);
    hovertext.push(text, text, "");
  });
  return {
    type: "scatter",
    mode: "lines",
    name: plotlyText(bound.name),
    legendgroup: bound.name,
    ...placement.axes,
    x,
    y,
    line: { color: bound.style === undefined || bound.style === "floor" ? inks.text : colour, width: 2.2, dash },
    hovertext,
    hovertemplate: "%{hovertext}<extra></extra>",
  };
}

/** Fill, outline and hatching of bars in one style. */
export function barMarker(style: SeriesStyle): Record<string, unknown> {
  const { colour, pattern: shape, fill = colour } = style;
  const strokes = { fgcolor: fill === colour ? inks.paper : colour, bgcolor: fill, fillmode: "overlay", fgopacity: 0.5 };
  return {
    color: fill,
    line: { color: colour, width: 1 },
    ...(shape === "" ? {} : { pattern: { shape, ...strokes, size: 7, solidity: 0.22 } }),
  };
}

/** Asymmetric error bars in percent points. */
export function whiskers(values: readonly Rate[]): Record<string, unknown> {
  if (!values.some((rate) => intervalOf(rate) !== null)) return { visible: false };
  // A whisker of no length would claim certainty: where nothing is known none is drawn.
  const arm = (rate: Rate, end: 0 | 1): number | null => {
    const interval = intervalOf(rate);
    const value = valueOf(rate);
    if (value === null) return 0;
    return interval === null ? null : Math.max(0, (interval[end] - value) * (end === 1 ? 100 : -100));
  };
  return {
    type: "data",
    symmetric: false,
    array: values.map((rate) => arm(rate, 1)),
    arrayminus: values.map((rate) => arm(rate, 0)),
    color: inks.text,
    thickness: 1.3,
    width: 3,
  };
}

/** A fraction as percent, for traces. */
export function percent(fraction: number | null): number | null {
  return fraction === null ? null : fraction * 100;
}

function hoverText(task: string, name: string, measure: Measure, rate: Rate): string {
  return `<b>${plotlyText(task)}</b><br>${plotlyText(name)}<br>${measure.toUpperCase()} ${formatPercentInterval(rate)} %`;
}
