import { z } from "zod";
import { makeTable, tableToHtml, type Table } from "../figures";
import { convexFront, judgeDefence, nonDominated } from "../selection";
import { defineCell, type Cell } from "./cell";
import { findingOf, type Finding } from "./finding";
import { judgedPoints } from "./judgedPoints";
import type { Sweep, SweepPoint } from "./sweepAlpha";

/** Parameters of `judgeSweeps`. */
export interface JudgeSweepsParameters {
  /** α of DAM that is compared with other methods. */
  alpha: number;
}

/** DAM against the baselines: at equal ACC, against AdaMerging as it is, and along α. */
export interface SweepJudgement {
  /** One row an α: ACC, ASR, gap, and whether it lies on DAM's own front and on that front's convex hull. */
  readonly table: Table;
  readonly findings: {
    /** ASR of the baselines' front at DAM's ACC, minus DAM's: positive where DAM is better. */
    readonly gap: Finding | null;
    /** ASR of AdaMerging minus DAM's, and ACC of AdaMerging minus DAM's. */
    readonly asrDrop: Finding | null;
    readonly accCost: Finding | null;
    /** ASR and ACC at the smallest α minus those at the largest. */
    readonly asrRange: Finding | null;
    readonly accRange: Finding | null;
    /** Share of the αs whose mean no other α's mean dominates. */
    readonly onFront: Finding;
    /** Hypervolume of DAM's points minus that of the baselines' points. */
    readonly hypervolume: Finding;
  };
}

/** Judges DAM against the baselines of the same sweeps, one sweep a zoo seed. */
export const judgeSweeps: Cell<[sweeps: readonly Sweep[]], JudgeSweepsParameters, SweepJudgement> = defineCell({
  name: "judgeSweeps",
  version: 1,
  summary: "DAM against the baselines' fronts, and along alpha",
  inputs: ["sweeps"],
  cache: false,
  engine: false,
  parameters: z.object({ alpha: z.number().min(0).describe("α of DAM that is compared with other methods") }),
  run([sweeps]: [sweeps: readonly Sweep[]], { alpha }) {
    const points = judgedPoints(sweeps.map((sweep, zooSeed) => ({ zooSeed, sweep })));
    const { alphas, control, hypervolume } = judgeDefence(points, { defence: "dam", alpha });
    const final = alphas.filter(({ stage }) => stage === "final");
    const { means } = control["final"]!;
    const [hull, front] = [new Set(convexFront(means)), new Set(nonDominated(means))];
    const drop = (of: (point: SweepPoint) => number | null): number[] => sweeps.flatMap((sweep) => dropOf(sweep, alpha, of));
    const [lowest, highest] = [means[0]!.alpha, means.at(-1)!.alpha];
    const range = (of: (point: SweepPoint) => number | null): number[] => sweeps.flatMap((sweep) => rangeOf(sweep, [lowest, highest], of));
    const table = makeTable({
      caption: "DAM after its final stage, by α",
      columns: [
        { key: "alpha", title: "α" },
        { key: "acc", title: "ACC", format: "percent", best: "highest" },
        { key: "asr", title: "ASR attacked", format: "percent", best: "lowest" },
        { key: "gap", title: "Gap at equal ACC", unit: "points", format: "interval", best: "highest" },
        { key: "front", title: "On DAM's front" },
        { key: "hull", title: "On its convex hull" },
      ],
      rows: final.map(({ alpha: value, acc, asr, gap }, index) => ({
        alpha: String(value),
        acc,
        asr,
        gap: { value: gap.mean, ...(gap.interval && { interval: gap.interval }) },
        front: front.has(means[index]!) ? "yes" : "",
        hull: hull.has(means[index]!) ? "yes" : "",
      })),
      footnotes: [
        "Gap: ASR of the baselines' front at DAM's ACC, minus DAM's; positive where DAM is better. Baselines: every method over the scale of its coefficients.",
      ],
    });
    const chosen = final.find((one) => one.alpha === alpha)!;
    // What says something of means over all runs has no interval.
    const runs = chosen.gap.pairs.length;
    const ofMeans = (value: number, unit: Finding["unit"] = "rate"): Finding => ({
      value,
      unit,
      interval: null,
      count: runs,
      over: "runs",
    });
    return {
      table,
      findings: {
        gap: findingOf(
          chosen.gap.pairs.map(({ gap }) => gap),
          "points",
        ),
        asrDrop: findingOf(
          drop(({ asrAttacked }) => asrAttacked),
          "points",
        ),
        accCost: findingOf(
          drop(({ acc }) => acc),
          "points",
        ),
        asrRange: findingOf(
          range(({ asrAttacked }) => asrAttacked),
          "points",
        ),
        accRange: findingOf(
          range(({ acc }) => acc),
          "points",
        ),
        onFront: ofMeans(front.size / means.length),
        hypervolume: ofMeans(hypervolume.defence - hypervolume.baselines, "number"),
      },
    };
  },
  text: ({ table }) => table.toString(),
  display: ({ table }) => ({ "text/html": tableToHtml(table) }),
});

/** A quantity of AdaMerging at its own coefficients, minus DAM's of the same seed. */
function dropOf({ points }: Sweep, alpha: number, of: (point: SweepPoint) => number | null): number[] {
  return points
    .filter((point) => point.method === "dam" && point.stage === "final" && point.alpha === alpha)
    .flatMap((defended) => {
      const plain = points.find(({ method, scale, seed }) => method === "adamerging" && scale === 1 && seed === defended.seed);
      const [before, after] = [plain && of(plain), of(defended)];
      return typeof before === "number" && after !== null ? [before - after] : [];
    });
}

/** A quantity of DAM at one α, minus that at another one of the same seed. */
function rangeOf({ points }: Sweep, [from, to]: readonly [number, number], of: (point: SweepPoint) => number | null): number[] {
  const final = points.filter(({ method, stage }) => method === "dam" && stage === "final");
  return final
    .filter(({ alpha }) => alpha === from)
    .flatMap((start) => {
      const end = final.find(({ alpha, seed }) => alpha === to && seed === start.seed);
      const [before, after] = [of(start), end && of(end)];
      return before !== null && typeof after === "number" ? [before - after] : [];
    });
}
