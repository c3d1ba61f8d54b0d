import { z } from "zod";
import { familyOf, linesFigure, makeTable, type Figure, type LinePanel, type LineSeries, type Table } from "../figures";
import { defineCell, type Cell } from "./cell";
import { madeBy } from "./figureWords";
import { findingOf, findingRate, type Finding } from "./finding";
import type { SweepPoint, SweptAlpha } from "./sweepAlpha";

/** Parameters of `plotOver`. */
export interface PlotOverParameters {
  /** What the horizontal axis is: how many models were merged, or DAM's α. */
  over: "models" | "alpha";
  title?: string | undefined;
}

/** A picture of rates over a number, and the numbers as a table. */
export interface OverPlot {
  readonly figure: Figure;
  readonly table: Table;
  /** By method: ASR of the attacked tasks at the smallest number minus that at the largest, and the same of ACC. */
  readonly findings: Readonly<Record<string, { readonly asrDrop: Finding | null; readonly accDrop: Finding | null }>>;
}

/** Draws ACC, ASR and floor of the methods of several sweeps over the number of merged models, or over α. */
export const plotOver: Cell<[sweeps: readonly SweptAlpha[]], PlotOverParameters, OverPlot> = defineCell({
  name: "plotOver",
  version: 1,
  summary: "ACC, ASR and floor over the number of merged models, or over alpha",
  inputs: ["sweeps"],
  cache: false,
  engine: false,
  parameters: z.object({
    over: z.enum(["models", "alpha"]).describe("what the horizontal axis is"),
    title: z.string().default("").describe("one line above the picture"),
  }),
  run([sweeps]: [sweeps: readonly SweptAlpha[]], { over, title }) {
    const lines = linesOf(sweeps, over);
    if (lines.size === 0) throw new RangeError(`Cannot plot over ${over}: expected at least 1 finished merge, got 0`);
    const least = Math.min(...[...lines.values()].flat().flatMap(({ x }) => (x > 0 ? [x] : [])));
    const shown = (x: number): number => (over === "alpha" && x === 0 ? least / 10 : x);
    const panel = (name: string, of: (point: SweepPoint) => number | null | undefined): LinePanel => {
      const series = [...lines].flatMap(([method, groups]) => seriesOf(method, groups, of, shown));
      return { title: name, percent: true, series, range: rangeOf(series) };
    };
    const panels = [
      panel("ACC (%)", ({ acc }) => acc),
      panel("ASR (%)", ({ asrAttacked }) => asrAttacked),
      panel("floor (%)", ({ floor }) => floor?.asrAttacked),
    ].filter(({ series }) => series.length > 0);
    const { parameters } = sweeps[0]!.provenance;
    const runs = Math.max(...[...lines.values()].flat().map(({ points }) => points.length));
    const values = [...new Set([...lines.values()].flat().map(({ x }) => x))].sort((a, b) => a - b);
    const figure = linesFigure(panels, {
      title,
      xTitle: over === "models" ? "merged models" : "α",
      xLog: over === "alpha",
      xTicks: values.map((x) => ({ value: shown(x), text: String(x) })),
      caption:
        "ASR: mean over the attacked tasks, each under its own trigger." +
        (panels.length > 2 ? " Floor: that of the same merge of clean models." : ""),
      notes: {
        n: (parameters["limit"] as number | undefined) ?? 800,
        intervals: runs > 1 ? `means of up to ${runs} runs; whiskers: 95 % intervals by Student's t` : "one run each",
        ...madeBy(sweeps[0]),
      },
    });
    return { figure, table: tabulate(lines, over), findings: findingsOf(lines) };
  },
  text: ({ figure, table }) => [figure.title, table.toString()].filter(Boolean).join("\n"),
  display: ({ figure }) => figure.toMime(),
});

/** All runs of one method at one x. */
interface Group {
  readonly x: number;
  readonly points: readonly SweepPoint[];
}

/** By method and setting, groups by growing x. */
type Lines = ReadonlyMap<string, readonly Group[]>;

function linesOf(sweeps: readonly SweptAlpha[], over: "models" | "alpha"): Lines {
  const lines = new Map<string, Map<number, SweepPoint[]>>();
  for (const point of sweeps.flatMap(({ points }) => points)) {
    if (over === "alpha" && point.method !== "dam") continue;
    const stage = point.stage === "masks" ? " before the final stage" : "";
    const name = `${point.title}${stage}${point.scale === 1 ? "" : `, λ = ${point.scale}`}`;
    const x = over === "alpha" ? point.alpha! : Object.keys(point.tasks).length;
    const line = lines.get(name) ?? new Map<number, SweepPoint[]>();
    lines.set(name, line.set(x, [...(line.get(x) ?? []), point]));
  }
  const sorted = (line: Map<number, SweepPoint[]>): Group[] => [...line].map(([x, points]) => ({ x, points })).sort((a, b) => a.x - b.x);
  return new Map([...lines].map(([name, line]) => [name, sorted(line)]));
}

function seriesOf(
  name: string,
  groups: readonly Group[],
  of: (point: SweepPoint) => number | null | undefined,
  shown: (x: number) => number,
): LineSeries[] {
  const found = groups.map(({ points }) => findingOf(points.map(of)));
  if (found.every((one) => one === null)) return [];
  const family = familyOf(name);
  const whiskered = found.every((one) => one?.interval);
  return [
    {
      name,
      // DAM before its final stage is of DAM's colour, but not drawn alike.
      style: family,
      variant: name.includes("before") ? 1 : 0,
      x: groups.map(({ x }) => shown(x)),
      y: found.map((one) => (one === null ? null : one.value)),
      ...(whiskered && {
        low: found.map((one) => one!.interval![0]),
        high: found.map((one) => one!.interval![1]),
        intervals: "whiskers" as const,
      }),
    },
  ];
}

/** Percents from the least to the greatest, intervals and some air included: what α changes is small beside the whole, but noise not large. */
function rangeOf(series: readonly LineSeries[]): [number, number] {
  const ends = series.flatMap(({ y, low = [], high = [] }) => [...y, ...low, ...high]).flatMap((end) => (end === null ? [] : [end * 100]));
  const [least, most] = [Math.min(...ends), Math.max(...ends)];
  const air = Math.max((most - least) * 0.08, (LEAST_SPAN - (most - least)) / 2);
  return [Math.max(-1, least - air), Math.min(102, most + air)];
}

/** Points that an axis spans at least. */
const LEAST_SPAN = 4;

function tabulate(lines: Lines, over: "models" | "alpha"): Table {
  return makeTable({
    columns: [
      { key: "name", title: "Merge" },
      { key: "x", title: over === "models" ? "Models" : "α" },
      { key: "acc", title: "ACC", format: "interval" },
      { key: "asr", title: "ASR attacked", format: "interval" },
      { key: "floor", title: "Floor", format: "percent" },
    ],
    rows: [...lines].flatMap(([name, groups]) =>
      groups.map(({ x, points }) => ({
        name,
        x: String(x),
        acc: findingRate(findingOf(points.map(({ acc }) => acc))),
        asr: findingRate(findingOf(points.map(({ asrAttacked }) => asrAttacked))),
        floor: findingOf(points.map(({ floor }) => floor?.asrAttacked))?.value ?? null,
      })),
    ),
  });
}

function findingsOf(lines: Lines): OverPlot["findings"] {
  return Object.fromEntries(
    [...lines.values()].map((groups) => {
      const [first, last] = [groups[0]!.points, groups.at(-1)!.points];
      const drop = (of: (point: SweepPoint) => number | null): Finding | null =>
        findingOf(
          first.flatMap((start, index) => {
            const [before, after] = [of(start), last[index] && of(last[index])];
            return typeof before === "number" && typeof after === "number" ? [before - after] : [];
          }),
          "points",
        );
      const { method, stage } = first[0]!;
      const name = stage === "masks" ? `${method}_before_final` : method;
      return [name, { asrDrop: drop(({ asrAttacked }) => asrAttacked), accDrop: drop(({ acc }) => acc) }];
    }),
  );
}
