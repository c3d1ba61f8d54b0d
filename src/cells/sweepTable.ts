import { makeTable, type Table } from "../figures";
import { nonDominated, type FrontPoint } from "../selection";
import type { SweepPoint } from "./sweepTypes";

/** Points whose ASR is known, as fronts take them. */
export function frontPoints(points: readonly SweepPoint[]): (FrontPoint & { readonly point: SweepPoint })[] {
  return points.flatMap((point) => (point.asrAttacked === null ? [] : [{ acc: point.acc, asr: point.asrAttacked, point }]));
}

/** A sweep's points as a table, in their order; those that no other point of the sweep dominates are marked. */
export function sweepTable(points: readonly SweepPoint[]): Table {
  const front = new Set(nonDominated(frontPoints(points)).map(({ point }) => point));
  return makeTable({
    columns: [
      { key: "title", title: "Method" },
      { key: "stage", title: "Stage" },
      { key: "alpha", title: "α" },
      { key: "scale", title: "Scale" },
      { key: "seed", title: "Seed" },
      { key: "acc", title: "ACC", format: "percent", best: "highest" },
      { key: "asr", title: "ASR attacked", format: "percent", best: "lowest" },
      { key: "floor", title: "Floor", format: "percent" },
      { key: "front", title: "Front" },
    ],
    rows: points.map((point) => ({
      title: point.title,
      stage: point.method !== "dam" ? "" : point.stage === "final" ? "after the final stage" : "before",
      alpha: point.alpha === null ? "" : String(point.alpha),
      scale: String(point.scale),
      seed: point.seed === null ? "" : String(point.seed),
      acc: point.acc,
      asr: point.asrAttacked,
      floor: point.floor?.asrAttacked ?? null,
      front: front.has(point) ? "yes" : "",
    })),
    footnotes: [
      "Scale: λ where a method has one for everything, else the factor of its final coefficients.",
      "Floor: ASR of the same method, setting and seed on the all-clean merge.",
    ],
  });
}
