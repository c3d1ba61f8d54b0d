import { type Rate, valueOf } from "../estimate";
import type { FigureOptions } from "../figure";
import type { StyleName } from "../theme";

/** One run in the plane of ACC and ASR, both fractions in [0, 1]. */
export interface TradeoffPoint {
  readonly acc: Rate;
  readonly asr: Rate;
  /** What produced it, such as "α = 0.1, seed 3": shown on hover, and beside the point with `labels`. */
  readonly label?: string;
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
}

/** A horizontal (`asr`) or vertical (`acc`) reference with its name. */
export interface TradeoffBound {
  readonly name: string;
  readonly asr?: Rate;
  readonly acc?: Rate;
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
