/** A measured quantity with its uncertainty. Rates (ACC, ASR) are fractions in [0, 1]. */
export interface Estimate {
  readonly value: number;
  /** Both ends of the 95 % interval, in the unit of `value`. */
  readonly interval?: readonly [low: number, high: number];
  /** Number of images (or seeds) behind the value. */
  readonly n?: number;
}

/** A rate as charts and tables take it: a fraction, an estimate of one, or null where nothing was measured. */
export type Rate = number | Estimate | null;

/** The point value of a rate; null where nothing was measured or the number is not finite. */
export function valueOf(rate: Rate | undefined): number | null {
  const value = typeof rate === "object" && rate !== null ? rate.value : rate;
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/** The interval of a rate, or null where it has none. */
export function intervalOf(rate: Rate | undefined): readonly [number, number] | null {
  return typeof rate === "object" && rate !== null ? (rate.interval ?? null) : null;
}

/**
 * A fraction as percent text: 0.8375 -> "83.8". Uses a real minus sign; null gives an en dash.
 * @param options.digits decimals, default 1. @param options.unit appends " %" (with a no-break space), default false.
 */
export function formatPercent(rate: Rate | undefined, options: { digits?: number; unit?: boolean } = {}): string {
  const { digits = 1, unit = false } = options;
  const value = valueOf(rate);
  if (value === null) return "–";
  return formatNumber(value * 100, digits) + (unit ? "\u00a0%" : "");
}

/** A fraction with its interval as percent text: "83.8 [81.0, 86.2]"; only the value where there is no interval. */
export function formatPercentInterval(rate: Rate | undefined, options: { digits?: number } = {}): string {
  const interval = intervalOf(rate);
  const value = formatPercent(rate, options);
  if (interval === null) return value;
  return `${value} [${formatPercent(interval[0], options)}, ${formatPercent(interval[1], options)}]`;
}

/** A number with fixed decimals and a real minus sign, never "-0". */
export function formatNumber(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
}
