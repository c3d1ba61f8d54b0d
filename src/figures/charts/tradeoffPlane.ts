import { formatPercentInterval, intervalOf, type Rate, valueOf } from "../estimate";
import type { FigureOptions } from "../figure";
import type { StyleName } from "../theme";

/** One run in the plane of ACC and ASR, both fractions in [0, 1]. */
export interface TradeoffPoint {
  readonly acc: Rate;
  readonly asr: Rate;
  /** What produced it, such as "α = 0.1, seed 3": shown on hover, and beside the point with `labels`. */
  readonly label?: string;
  /** Another line of the hover. */
  readonly detail?: string;
  /** Default: computed within its own front (some other point has no less ACC and no more ASR, and differs). */
  readonly dominated?: boolean;
}

/** The runs of one method over its knob (α, a coefficient's scale). */
export interface TradeoffFront {
  readonly name: string;
  /** Default: found from the name. */
  readonly family?: StyleName;
  readonly points: readonly TradeoffPoint[];
  /** A baseline is drawn thinner, with open markers. */
  readonly baseline?: boolean;
  /** Write each undominated point's label beside it; default: as the options say. */
  readonly labels?: boolean;
}

/** A horizontal (`asr`) or vertical (`acc`) reference with its name. */
export interface TradeoffBound {
  readonly name: string;
  readonly asr?: Rate;
  readonly acc?: Rate;
  /** Where it lies far from all points, it does not stretch the axes; its name then says where it is. Default false. */
  readonly mayLieOutside?: boolean;
}

/** Everything in the trade-off plane. */
export interface TradeoffPlane {
  readonly fronts: readonly TradeoffFront[];
  /** The floor (ASR of the all-clean merge; what lies below can't be removed), and bounds of individual models. */
  readonly bounds?: readonly TradeoffBound[];
}

/** Options of `paretoFigure` and `tradeoffFigure`. */
export interface TradeoffFigureOptions extends FigureOptions {
  readonly accTitle?: string;
  readonly asrTitle?: string;
  /** Ranges in percent; default from the points. */
  readonly accRange?: readonly [number, number];
  readonly asrRange?: readonly [number, number];
  /** Write each undominated point's label beside it. */
  readonly labels?: boolean;
}

/** Ranges of both axes in percent. */
export interface PlaneRanges {
  readonly acc: readonly [number, number];
  readonly asr: readonly [number, number];
}

/**
 * The ranges that show all points, and the bounds by the names that they have there. A bound that may lie outside is drawn where it makes an
 * axis at most half as long again.
 */
export function placeBounds(
  plane: TradeoffPlane,
  given: Pick<TradeoffFigureOptions, "accRange" | "asrRange">,
): { readonly ranges: PlaneRanges; readonly bounds: readonly TradeoffBound[] } {
  const points = plane.fronts.flatMap((front) => front.points);
  const bounds = plane.bounds ?? [];
  const near = (axis: "acc" | "asr"): [number, number] =>
    rangeOf([...points.map((point) => point[axis]), ...bounds.flatMap((bound) => (bound.mayLieOutside ? [] : (bound[axis] ?? null)))]);
  const whole = (axis: "acc" | "asr"): readonly [number, number] => {
    const range = given[`${axis}Range`];
    if (range !== undefined) return range;
    const [low, high] = near(axis);
    const reach = (high - low) / 2;
    const more = bounds.flatMap((bound) => {
      const value = bound.mayLieOutside ? valueOf(bound[axis] ?? null) : null;
      return value !== null && value * 100 > low - reach && value * 100 < high + reach ? [value] : [];
    });
    return more.length === 0 ? [low, high] : rangeOf([low / 100, high / 100, ...more], 2);
  };
  const ranges = { acc: whole("acc"), asr: whole("asr") };
  const named = bounds.map((bound) => {
    const axis = bound.asr === undefined ? "acc" : "asr";
    const value = valueOf(bound[axis] ?? null);
    const [low, high] = ranges[axis];
    if (value === null || (value * 100 >= low && value * 100 <= high)) return bound;
    const arrow = axis === "acc" ? (value * 100 > high ? "→" : "←") : value * 100 > high ? "↑" : "↓";
    return { ...bound, name: `${bound.name} (${formatPercentInterval(value)}\u00a0% ${arrow})` };
  });
  return { ranges, bounds: named };
}

/** Range in percent around rates and their intervals, with 6 % of air, inside [-2, 104]. */
function rangeOf(rates: readonly Rate[], least = 2): [number, number] {
  const ends = rates.flatMap((rate) => {
    const value = valueOf(rate);
    return value === null ? [] : [value, ...(intervalOf(rate) ?? [])].map((end) => end * 100);
  });
  if (ends.length === 0) return [0, 104];
  const low = ends.reduce((smallest, end) => Math.min(smallest, end));
  const high = ends.reduce((most, end) => Math.max(most, end));
  const air = Math.max(least, (high - low) * 0.06);
  return [Math.max(-2, low - air), Math.min(104, high + air)];
}

/** Indices of the points that no other point dominates (ACC up, ASR down), by growing ACC; points without both values are left out. */
export function undominated(points: readonly TradeoffPoint[]): number[] {
  const known = points.flatMap((point, index) => {
    const [acc, asr] = [valueOf(point.acc), valueOf(point.asr)];
    return acc === null || asr === null ? [] : [{ index, acc, asr }];
  });
  const beaten = (mine: (typeof known)[number]): boolean =>
    known.some((other) => other.acc >= mine.acc && other.asr <= mine.asr && (other.acc > mine.acc || other.asr < mine.asr));
  const front = known.filter((point) => !(points[point.index]?.dominated ?? beaten(point)));
  return front.sort((a, b) => a.acc - b.acc || a.asr - b.asr).map((point) => point.index);
}
