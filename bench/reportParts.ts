/** Parts of docs/bench.md out of results. */
import { makeTable, palette, type Figure, type Table } from "../src/figures";
import { makeFigure, type ResolvedFrame, type Specification } from "../src/figures/figure";
import { formatBar, formatLimit, formatBytes, formatSeconds } from "./harness/formatReport";
import type { BenchReport, CaseResult, Ratio } from "./harness/types";

/**
 * One report of several runs; of a case in several, the last one counts.
 * @throws {RangeError} if they come from different machines.
 */
export function mergeReports(reports: readonly BenchReport[]): BenchReport {
  const machines = new Set(reports.map(({ machine }) => JSON.stringify(machine)));
  if (machines.size !== 1) throw new RangeError(`Cannot merge bench results: expected those of one machine, got ${machines.size}`);
  const results = new Map(reports.flatMap((report) => report.results.map((result) => [result.name, result] as const)));
  return {
    machine: reports[0]!.machine,
    versions: Object.assign({}, ...reports.map(({ versions }) => versions)) as Record<string, string>,
    results: [...results.values()],
  };
}

/** The machine and the versions, in one sentence. */
export function provenanceText({ machine, versions }: BenchReport): string {
  const programs = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `Measured on ${machine.cpu}, ${machine.threads} threads, ${formatBytes(machine.memoryBytes)} of memory, ${machine.system}; ${programs.join(", ")}.`;
}

interface Row {
  readonly result: CaseResult;
  readonly ratio: Ratio;
}

function rowsOf({ results }: BenchReport): Row[] {
  return results.flatMap((result) => result.ratios.map((ratio) => ({ result, ratio })));
}

/** Ours against the references; bars without a reference are rows of their own. */
export function ratiosTable(report: BenchReport): Table {
  const limits = report.results.flatMap(({ name, limits: own }) =>
    own.map((limit) => ({
      case: name,
      ours: limit.ours,
      reference: limit.what === "growth" ? "its own first round" : "",
      speed: limit.what === "seconds" ? formatLimit(limit, limit.value) : "",
      processor: "",
      memory: limit.what === "growth" ? formatLimit(limit, limit.value) : "",
      bar: `${limit.what === "growth" ? "memory " : ""}≤ ${formatLimit(limit, limit.limit)}${limit.reached ? "" : ", missed"}`,
    })),
  );
  const ratios = rowsOf(report).map(({ result, ratio }) => ({
    case: result.name,
    ours: ratio.ours,
    reference: ratio.reference,
    speed: `${ratio.speed.toFixed(2)}x`,
    processor: ratio.processor === null ? "" : `${ratio.processor.toFixed(2)}x`,
    memory: ratio.memory === null ? "" : `${ratio.memory.toFixed(2)}x`,
    bar: ratio.reached === null ? "" : `${formatBar(ratio.bar!)}${ratio.reached ? "" : ", missed"}`,
  }));
  return makeTable({
    columns: [
      { key: "case", title: "case" },
      { key: "ours", title: "ours" },
      { key: "reference", title: "reference" },
      { key: "speed", title: "speed", align: "right" },
      { key: "processor", title: "by processor time", align: "right" },
      { key: "memory", title: "memory", align: "right" },
      { key: "bar", title: "bar" },
    ],
    rows: [...ratios, ...limits],
  });
}

/** What each contestant took. */
export function timesTable({ results }: BenchReport): Table {
  const rows = results.flatMap((result) =>
    result.measured.map(({ contestant, median, range, processorSeconds, peakBytes }, index) => ({
      case: index === 0 ? `${result.name}: ${result.title}` : "",
      contestant,
      median: formatSeconds(median),
      range: `${formatSeconds(range[0])} – ${formatSeconds(range[1])}`,
      processor: processorSeconds === null ? "" : formatSeconds(processorSeconds),
      rate: result.amount === null ? "" : `${(result.amount / median).toPrecision(3)} ${result.unit}/s`,
      memory: peakBytes === null ? "" : formatBytes(peakBytes),
    })),
  );
  return makeTable({
    columns: [
      { key: "case", title: "case" },
      { key: "contestant", title: "contestant" },
      { key: "median", title: "median", align: "right" },
      { key: "range", title: "smallest – largest", align: "right" },
      { key: "processor", title: "processor time", align: "right" },
      { key: "rate", title: "rate", align: "right" },
      { key: "memory", title: "peak memory", align: "right" },
    ],
    rows,
  });
}

const ROW_HEIGHT = 26;
const [TOP, BOTTOM, LEFT, RIGHT] = [16, 56, 16, 60];
/** Mean width of a letter of the labels, in parts of the font's size. */
const LETTER = 0.52;

/** Speed against each reference, one row a ratio, on a logarithmic axis with the bars as ticks. */
export function ratiosFigure(report: BenchReport): Figure {
  const rows = picturedRows(report);
  const height = TOP + BOTTOM + ROW_HEIGHT * rows.length;
  return makeFigure({
    options: { width: 860, height },
    alt: `Speed of damlab against references: ${rows.map(({ result, ratio }) => `${result.name} ${ratio.ours} ${ratio.speed.toFixed(2)}x`).join("; ")}`,
    draw: (frame) => drawRatios(frame, rows, height),
  });
}

/** The table's rows; of several references only the fastest one, which the bar is asked against. */
function picturedRows(report: BenchReport): Row[] {
  return rowsOf(report).filter(
    ({ result, ratio }) => ratio.reached !== null || result.ratios.every(({ ours, reached }) => ours !== ratio.ours || reached === null),
  );
}

/** The case and whose speed it is; where several references were run, also against which. */
function rowLabels(rows: readonly Row[]): string[] {
  const names = rows.map(({ result, ratio }) => `${result.name}: ${ratio.ours}`);
  return rows.map(({ ratio }, index) => {
    const name = names[index]!;
    return names.indexOf(name) === names.lastIndexOf(name) ? name : `${name} / ${ratio.reference}`;
  });
}

function drawRatios({ width, fontSize }: ResolvedFrame, rows: readonly Row[], height: number): Specification {
  const places = rows.map((_, index) => -index);
  const labels = rowLabels(rows);
  const bars = rows.flatMap(({ ratio }, index) => (ratio.bar?.speed === undefined ? [] : [{ x: ratio.bar.speed, y: -index }]));
  const speeds = rows.map(({ ratio }) => ratio.speed);
  const edges = [...speeds, ...bars.map(({ x }) => x), 1].map(Math.log10);
  return {
    data: [
      {
        type: "scatter",
        mode: "markers",
        x: bars.map(({ x }) => x),
        y: bars.map(({ y }) => y),
        marker: { symbol: "line-ns-open", size: 14, color: palette.black, line: { width: 2 } },
        name: "bar",
      },
      {
        type: "scatter",
        mode: "markers+text",
        x: speeds,
        y: places,
        text: speeds.map((speed) => `  ${speed.toFixed(2)}x`),
        textposition: "middle right",
        marker: { size: 9, color: rows.map(({ ratio }) => (ratio.reached === false ? palette.vermillion : palette.blue)) },
        name: "speed",
      },
    ],
    layout: {
      width,
      height,
      font: { size: fontSize },
      showlegend: false,
      margin: { t: TOP, b: BOTTOM, l: LEFT + fontSize * LETTER * Math.max(...labels.map(({ length }) => length)), r: RIGHT },
      xaxis: {
        type: "log",
        title: { text: "reference seconds / ours (dash: bar)" },
        range: [Math.min(...edges) - 0.1, Math.max(...edges) + 0.5],
        tickvals: [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50],
        zeroline: false,
      },
      yaxis: { tickvals: places, ticktext: labels, range: [0.7 - rows.length, 0.7], zeroline: false },
      shapes: [{ type: "line", x0: 1, x1: 1, yref: "paper", y0: 0, y1: 1, line: { color: palette.grey, width: 1 } }],
    },
    config: {},
  };
}
