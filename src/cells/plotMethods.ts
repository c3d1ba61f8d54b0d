import { z } from "zod";
import { familyOf, makeTable, methodsFigure, type Averages, type Figure, type MeasureName, type MethodRow, type Table } from "../figures";
import { defineCell, type Cell } from "./cell";
import { madeBy } from "./figureWords";
import { findingOf, findingRate, type Finding } from "./finding";
import type { Sweep, SweepPoint, SweptAlpha } from "./sweepAlpha";

/** Sweeps of several attacks, or such lists by the name of a setting; and the same sweep of clean models, for the floor over all tasks. */
export interface ComparedSweeps {
  readonly attacked: readonly SweptAlpha[] | Readonly<Record<string, readonly SweptAlpha[]>>;
  /** Swept on clean models alone, with `triggers: "own"`. */
  readonly clean?: SweptAlpha | undefined;
}

/** What was found of one method (or setting): means over zoo seeds and seeds. */
export interface MethodFinding {
  readonly acc: Finding | null;
  readonly asrAttacked: Finding | null;
  /** ASR of the attacked tasks minus its floor: what was inherited. */
  readonly inherited: Finding | null;
  readonly asrClean: Finding | null;
  readonly asrAll: Finding | null;
  /** ASR of all tasks minus its floor. */
  readonly inheritedAll: Finding | null;
}

/** A picture of methods, the numbers as a table, and as findings by method name, by setting, or by setting and method name. */
export interface MethodsPlot {
  readonly figure: Figure;
  readonly table: Table;
  readonly findings: Readonly<Record<string, MethodFinding>>;
}

/** Parameters of `plotMethods`. */
export interface PlotMethodsParameters {
  title?: string | undefined;
  /** Panels of the picture. */
  measures?: ("acc" | "asrAttacked" | "asrAll")[] | undefined;
}

/** Draws ACC and ASR of merging methods, means over seeds, each with the floor of its merge of clean models. */
export const plotMethods: Cell<[sweeps: ComparedSweeps], PlotMethodsParameters, MethodsPlot> = defineCell({
  name: "plotMethods",
  version: 1,
  summary: "ACC and ASR of merging methods, means over seeds, with their floors",
  inputs: ["sweeps"],
  parameters: z.object({
    title: z.string().default("").describe("one line above the picture"),
    measures: z
      .array(z.enum(["acc", "asrAttacked", "asrAll"]))
      .default(["acc", "asrAttacked", "asrAll"])
      .describe("panels of the picture"),
  }),
  cache: false,
  engine: false,
  run([{ attacked, clean }]: [sweeps: ComparedSweeps], { title, measures }) {
    const groups = groupRuns(attacked, clean);
    if (groups.length === 0) throw new RangeError("Cannot plot methods: expected at least 1 finished merge, got 0");
    const runs = Math.max(...groups.map(({ points }) => points.length));
    const rows = groups.map((group) => rowOf(group, measures));
    const first = (Array.isArray(attacked) ? attacked : Object.values(attacked).flat())[0] as SweptAlpha;
    const { parameters } = first.provenance;
    const figure = methodsFigure(rows, {
      title,
      measures,
      caption: "ASR: each task under its own trigger, over images whose true class is not the target.",
      notes: {
        n: (parameters["limit"] as number | undefined) ?? 800,
        intervals: runs > 1 ? `means of up to ${runs} runs; whiskers: 95 % intervals by Student's t` : "one run each",
        ...madeBy(first),
      },
    });
    return { figure, table: tabulate(groups), findings: Object.fromEntries(groups.map(({ key, found }) => [key, found])) };
  },
  text: ({ figure, table }) => [figure.title, table.toString()].filter(Boolean).join("\n"),
  display: ({ figure }) => figure.toMime(),
});

/** All runs of one method at one setting. */
interface Group {
  readonly key: string;
  readonly name: string;
  readonly points: readonly SweepPoint[];
  readonly found: MethodFinding;
  readonly floor: { readonly acc: Finding | null; readonly asrAttacked: Finding | null; readonly asrAll: Finding | null };
}

function groupRuns(attacked: ComparedSweeps["attacked"], clean: SweptAlpha | undefined): Group[] {
  const named: (readonly [string | null, readonly SweptAlpha[]])[] = Array.isArray(attacked)
    ? [[null, attacked as readonly SweptAlpha[]]]
    : Object.entries(attacked as Readonly<Record<string, readonly SweptAlpha[]>>);
  return named.flatMap(([setting, sweeps]) => {
    const merged = new Map<string, { sweep: Sweep; point: SweepPoint }[]>();
    for (const sweep of sweeps) {
      for (const point of sweep.points.filter(({ stage }) => stage === "final")) {
        const key = `${point.method} ${point.alpha} ${point.scale}`;
        merged.set(key, [...(merged.get(key) ?? []), { sweep, point }]);
      }
    }
    return [...merged.values()].map((runs): Group => {
      const { method, title, alpha, scale } = runs[0]!.point;
      const twice = [...merged.values()].filter(([run]) => run!.point.method === method).length > 1;
      const detail = [alpha !== null && twice ? `α = ${alpha}` : "", scale === 1 ? "" : `λ = ${scale}`].filter(Boolean).join(", ");
      const several = new Set([...merged.values()].map(([run]) => run!.point.method)).size > 1;
      const own = [several ? title : (setting ?? title), detail, several ? (setting ?? "") : ""].filter(Boolean).join(", ");
      const bySetting = setting !== null && several ? `${setting} ${method}` : setting;
      const floorsAll = runs.map(({ sweep, point }) => floorOverAll(sweep, point, clean));
      return {
        key: bySetting ?? (twice ? own : method),
        name: own,
        points: runs.map(({ point }) => point),
        found: describe(
          runs.map(({ point }) => point),
          floorsAll,
        ),
        floor: {
          acc: findingOf(runs.map(({ point }) => point.floor?.acc)),
          asrAttacked: findingOf(runs.map(({ point }) => point.floor?.asrAttacked)),
          asrAll: findingOf(floorsAll),
        },
      };
    });
  });
}

/** Mean ASR of the clean merge under the same triggers: the attackers' on the attacked tasks, latent ones on the others. */
function floorOverAll({ attacked }: Sweep, point: SweepPoint, clean: SweptAlpha | undefined): number | null {
  const same = clean?.points.find(
    ({ method, alpha, scale, seed, stage }) =>
      method === point.method && alpha === point.alpha && scale === point.scale && seed === point.seed && stage === point.stage,
  );
  if (same === undefined || typeof point.floor?.asrAttacked !== "number") return null;
  const tasks = Object.keys(same.tasks);
  const others = tasks.filter((task) => !(task in attacked)).map((task) => same.tasks[task]!.asr);
  if (others.includes(null)) return null;
  const sum = (others as number[]).reduce((total, asr) => total + asr, 0) + point.floor.asrAttacked * (tasks.length - others.length);
  return sum / tasks.length;
}

function describe(points: readonly SweepPoint[], floorsAll: readonly (number | null)[]): MethodFinding {
  const over = (of: (point: SweepPoint, index: number) => number | null | undefined, unit: Finding["unit"] = "rate"): Finding | null =>
    findingOf(points.map(of), unit);
  return {
    acc: over(({ acc }) => acc),
    asrAttacked: over(({ asrAttacked }) => asrAttacked),
    inherited: over(({ asrAttacked, floor }) => difference(asrAttacked, floor?.asrAttacked), "points"),
    asrClean: over(({ asrClean }) => asrClean),
    asrAll: over(({ asrAll }) => asrAll),
    inheritedAll: over(({ asrAll }, index) => difference(asrAll, floorsAll[index]), "points"),
  };
}

function difference(first: number | null | undefined, second: number | null | undefined): number | null {
  return typeof first === "number" && typeof second === "number" ? first - second : null;
}

function rowOf({ name, points, found, floor }: Group, measures: readonly MeasureName[]): MethodRow {
  const pick = (source: Readonly<Partial<Record<string, Finding | null>>>): Averages =>
    Object.fromEntries(measures.flatMap((measure) => (source[measure] ? [[measure, findingRate(source[measure])]] : [])));
  const floors = pick(floor);
  return {
    name,
    family: familyOf(points[0]!.method),
    averages: pick({ ...found }),
    ...(Object.keys(floors).length > 0 && { floor: floors }),
  };
}

function tabulate(groups: readonly Group[]): Table {
  return makeTable({
    columns: [
      { key: "name", title: "Merge" },
      { key: "runs", title: "Runs", format: "integer" },
      { key: "acc", title: "ACC", format: "interval" },
      { key: "asr", title: "ASR attacked", format: "interval" },
      { key: "floor", title: "Floor", format: "percent" },
      { key: "all", title: "ASR all tasks", format: "interval" },
      { key: "floorAll", title: "Floor", format: "percent" },
    ],
    rows: groups.map(({ name, points, found, floor }) => ({
      name,
      runs: points.length,
      acc: findingRate(found.acc),
      asr: findingRate(found.asrAttacked),
      floor: floor.asrAttacked?.value ?? null,
      all: findingRate(found.asrAll),
      floorAll: floor.asrAll?.value ?? null,
    })),
    footnotes: ["Floor: ASR of the same merge of clean models under the same triggers. In brackets: 95 % interval over the runs."],
  });
}
