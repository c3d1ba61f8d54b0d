import { z } from "zod";
import { DEFENCES } from "../defenses";
import {
  paretoFigure,
  type Figure,
  type Rate,
  type StyleName,
  type Table,
  type TradeoffBound,
  type TradeoffFront,
  type TradeoffPoint,
} from "../figures";
import { mean, standardError } from "../selection";
import { defineCell, type Cell } from "./cell";
import { madeBy } from "./figureWords";
import { provenanceOf } from "./provenance";
import type { Sweep, SweepPoint } from "./sweepTypes";
import { sweepTable } from "./sweepTable";

/** Parameters of `plotParetoFront`. */
export interface PlotParetoFrontParameters {
  /** One line above the picture. */
  title?: string | undefined;
  /** Write DAM's undominated α beside their points. */
  labels?: boolean | undefined;
  /** Whether the bounds of the individual models are drawn in, though they lie far from the merges. */
  individual?: boolean | undefined;
}

/** A picture of fronts, and the numbers as a table. */
export interface FrontPlot {
  readonly figure: Figure;
  readonly table: Table;
}

/** Draws one sweep, or the mean of several with other zoo seeds, as fronts of ACC against ASR. */
export const plotParetoFront: Cell<[sweep: Sweep | readonly Sweep[]], PlotParetoFrontParameters, FrontPlot> = defineCell({
  name: "plotParetoFront",
  version: 1,
  summary: "Fronts of ACC against ASR: DAM over alpha, baselines over the scale of their coefficients",
  inputs: ["sweep"],
  parameters: z.object({
    title: z.string().default("").describe("one line above the picture"),
    labels: z.boolean().default(true).describe("write DAM's undominated alphas beside their points"),
    individual: z.boolean().default(true).describe("whether the individual models' bounds are drawn in"),
  }),
  cache: false,
  engine: false,
  run([given], { title, labels, individual }) {
    const sweeps = Array.isArray(given) ? (given as readonly Sweep[]) : [given as Sweep];
    if (sweeps.length === 0) throw new RangeError("Cannot plot fronts: expected at least 1 sweep, got 0");
    const points = sweeps.flatMap((sweep) => sweep.points);
    const fronts = frontsOf(points, labels);
    const runs = Math.max(1, ...fronts.flatMap(({ counts }) => counts));
    const limit = provenanceOf(sweeps[0])?.parameters["limit"];
    const figure = paretoFigure(
      { fronts, bounds: [...floorBounds(points), ...(individual ? individualBounds(sweeps) : [])] },
      {
        title,
        caption: "Scale of baselines: λ, or the factor of the final coefficients. ASR of the attacked tasks, each under its own trigger.",
        notes: {
          ...(typeof limit === "number" && { n: limit }),
          intervals: runs > 1 ? `points are means of up to ${runs} runs; whiskers: ± 1 standard error` : "one run each",
          ...madeBy(sweeps[0]),
        },
      },
    );
    return { figure, table: sweepTable(points) };
  },
  text: ({ figure, table }) => [figure.title, table.toString()].filter(Boolean).join("\n"),
  display: ({ figure }) => figure.toMime(),
});

const FAMILIES: Readonly<Record<string, StyleName>> = {
  average: "average",
  task_arithmetic: "arithmetic",
  ties: "ties",
  dam: "dam",
  purify: "defense",
};

/** A front a method; DAM before its final stage is one of its own. Baselines first, so that defences lie above them. */
function frontsOf(points: readonly SweepPoint[], labels: boolean): (TradeoffFront & { readonly counts: readonly number[] })[] {
  const names = new Map<string, SweepPoint[]>();
  for (const point of points) {
    const name = point.stage === "masks" ? `${point.title} before the final stage` : point.title;
    names.set(name, [...(names.get(name) ?? []), point]);
  }
  const fronts = [...names].map(([name, own]) => {
    const { method, stage } = own[0]!;
    const groups = groupBy(own, ({ alpha, scale }) => `${alpha} ${scale}`);
    const family = FAMILIES[method];
    return {
      name,
      ...(family !== undefined && { family }),
      points: [...groups.values()].map(meanPoint),
      baseline: !DEFENCES.has(method),
      labels: labels && method === "dam" && stage === "final",
      counts: [...groups.values()].map((group) => group.length),
      rank: !DEFENCES.has(method) ? 0 : stage === "masks" ? 2 : 1,
    };
  });
  return fronts.sort((a, b) => a.rank - b.rank);
}

function meanPoint(points: readonly SweepPoint[]): TradeoffPoint {
  const { alpha, scale, method } = points[0]!;
  const asr = points.map(({ asrAttacked }) => asrAttacked);
  const scaled = scale === 1 ? "" : `${alpha === null ? "" : ", "}scale ${scale}`;
  const floors = points.flatMap(({ floor }) => floor?.asrAttacked ?? []);
  const label = `${alpha === null ? "" : `α = ${alpha}`}${scaled}` || (method === "average" ? "1 / tasks" : "scale 1");
  return {
    acc: rateOf(points.map(({ acc }) => acc)),
    asr: asr.includes(null) ? null : rateOf(asr as number[]),
    label,
    ...(floors.length > 0 && { detail: `floor ${(mean(floors) * 100).toFixed(1)} %` }),
  };
}

/** A mean with its standard error. */
function rateOf(values: readonly number[]): Rate {
  const value = mean(values);
  if (values.length < 2) return value;
  const error = standardError(values);
  return { value, interval: [Math.max(0, value - error), Math.min(1, value + error)] };
}

/** The defence's floor; where it was not measured, that of the baselines. */
function floorBounds(points: readonly SweepPoint[]): TradeoffBound[] {
  const floorsOf = (chosen: readonly SweepPoint[]): number[] => chosen.flatMap(({ floor }) => floor?.asrAttacked ?? []);
  const mine = floorsOf(points.filter(({ method, stage }) => method === "dam" && stage === "final"));
  if (mine.length > 0) return [{ name: "Floor of DAM (all-clean merge)", asr: mean(mine) }];
  const others = floorsOf(points);
  return others.length === 0 ? [] : [{ name: "Floor (all-clean merges)", asr: mean(others) }];
}

function individualBounds(sweeps: readonly Sweep[]): TradeoffBound[] {
  const asr = sweeps.flatMap(({ individual }) => individual.asrAttacked ?? []);
  return [
    { name: "Individual models, ACC", acc: mean(sweeps.map(({ individual }) => individual.acc)), mayLieOutside: true },
    ...(asr.length === 0 ? [] : [{ name: "Individual models, ASR", asr: mean(asr), mayLieOutside: true }]),
  ];
}

function groupBy<Item>(items: readonly Item[], key: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}
