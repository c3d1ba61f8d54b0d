import { z } from "zod";
import { linesFigure, type Figure, type LineSeries } from "../figures";
import { defineCell, type Cell } from "./cell";

/** A sketch of a front and of what weighted sums reach of it. */
export interface TradeoffSketch {
  readonly figure: Figure;
}

/**
 * Sketches Theorem 1 and Corollary 1 without any measured value: a front of two losses with a dent, the ends that small and large α find, and
 * the convex hull, beyond which L_perf + α·L_safe never gets.
 */
export const sketchTradeoff: Cell<[], Record<never, never>, TradeoffSketch> = defineCell({
  name: "sketchTradeoff",
  version: 1,
  summary: "A front of two losses, what α chooses on it, and the dent that no α reaches: a sketch without measured values",
  inputs: [],
  parameters: z.object({}),
  cache: false,
  engine: false,
  run() {
    const front = Array.from({ length: 81 }, (_, step) => 0.1 + step * 0.01).map((x): Spot => [x, lossOf(x)]);
    const hull = lowerHull(front);
    // The dent lies below the hull's one long edge.
    const edge = hull.findIndex(([x], index) => index > 0 && x - hull[index - 1]![0] > 0.05);
    const [left, right] = [hull[edge - 1]!, hull[edge]!];
    const inDent = ([x]: Spot): boolean => x > left[0] && x < right[0];
    const figure = linesFigure(
      [
        {
          title: "L_safe, lower is safer",
          bare: true,
          range: [0, 1.2],
          series: [
            lineOf("front that some α reaches (Corollary 1)", front, (spot) => !inDent(spot)),
            lineOf("front in a dent: no α reaches it", front, ([x]) => x >= left[0] && x <= right[0]),
            lineOf("convex hull: α jumps along it", [left, right], () => true),
          ],
        },
      ],
      {
        title: "Theorem 1 and Corollary 1, a sketch",
        xTitle: "L_perf, lower is better",
        xTicks: [],
        caption:
          "A drawing, nothing is measured. No merge is better in both losses than one on the front (Theorem 1). Small α chooses points above at " +
          "the left, large α points below at the right.",
      },
    );
    return { figure };
  },
  text: ({ figure }) => figure.title,
  display: ({ figure }) => figure.toMime(),
});

/** L_perf and L_safe of one merge. */
type Spot = readonly [number, number];

function lineOf(name: string, spots: readonly Spot[], shown: (spot: Spot) => boolean): LineSeries {
  return { name, x: spots.map(([x]) => x), y: spots.map((spot) => (shown(spot) ? spot[1] : null)), markers: false };
}

/** A falling curve with one dent. */
function lossOf(x: number): number {
  return 0.12 / x - 0.08 + 0.14 * Math.exp(-(((x - 0.42) / 0.13) ** 2));
}

/** Points of the lower convex hull of spots by growing first coordinate (Andrew's monotone chain). */
function lowerHull(spots: readonly Spot[]): Spot[] {
  const hull: Spot[] = [];
  for (const spot of spots) {
    while (hull.length > 1 && turn(hull.at(-2)!, hull.at(-1)!, spot) <= 0) hull.pop();
    hull.push(spot);
  }
  return hull;
}

function turn([ax, ay]: Spot, [bx, by]: Spot, [cx, cy]: Spot): number {
  return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
}
