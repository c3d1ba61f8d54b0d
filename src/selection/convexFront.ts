import { nonDominated, type FrontPoint } from "./front";

/**
 * The points of a front that lie on its convex hull, towards high ACC and low ASR: those that a weighted sum of ACC and 1 − ASR can prefer to all others, by some
 * weights. What lies on the front but in a dent of it is never the optimum of a weighted sum, whatever the weights.
 * @returns The very objects given, by growing ACC.
 */
export function convexFront<Point extends FrontPoint>(points: readonly Point[]): Point[] {
  const hull: Point[] = [];
  for (const point of nonDominated(points)) {
    // Along the hull ASR rises ever more steeply with ACC; a point above the chord of its neighbours is in a dent.
    while (hull.length > 1 && turn(hull.at(-2)!, hull.at(-1)!, point) < 0) hull.pop();
    hull.push(point);
  }
  return hull;
}

/** Positive where the way from a over b to c turns towards higher ASR. */
function turn(a: FrontPoint, b: FrontPoint, c: FrontPoint): number {
  return (b.acc - a.acc) * (c.asr - a.asr) - (b.asr - a.asr) * (c.acc - a.acc);
}
