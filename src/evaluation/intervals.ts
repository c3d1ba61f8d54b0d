/** @file How sure a rate is: Wilson's interval for one rate, a stratified bootstrap for the mean of several. */
import type { RandomStream } from "../engine/random";
import { randomStream } from "../engine/random";
import type { Rate } from "./rates";

/** Lower and upper end, fractions in [0, 1]. */
export type Interval = readonly [number, number];

/** The 97.5 % point of the standard normal distribution. */
const Z95 = 1.959963984540054;

/**
 * Wilson's 95 % score interval of a binomial rate (Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference"):
 * `(p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n)`. Unlike the plain normal interval it stays in [0, 1] and has width at p = 0 and 1.
 * @returns null where nothing was counted.
 */
export function wilsonInterval({ hits, n }: Pick<Rate, "hits" | "n">): Interval | null {
  if (n === 0) return null;
  const p = hits / n;
  const z2 = Z95 * Z95;
  const centre = p + z2 / (2 * n);
  const half = Z95 * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n * n));
  const scale = 1 + z2 / n;
  // At p = 0 and 1 the ends are 0 and 1 but for rounding.
  return [hits === 0 ? 0 : Math.max(0, (centre - half) / scale), hits === n ? 1 : Math.min(1, (centre + half) / scale)];
}

/** Settings of a bootstrap. */
export interface BootstrapOptions {
  readonly seed?: number;
  /** How many resamples; default 2000. */
  readonly replicates?: number;
  /** Names of the random stream, so that each average has numbers of its own. */
  readonly stream?: readonly (string | number)[];
}

/**
 * 95 % percentile interval of the plain mean of rates, by a stratified bootstrap: each replicate draws each stratum's images anew, with
 * replacement, as many as it has, and averages the strata's rates. (Since an image is a hit or not, a stratum's resampled hits are
 * binomial with its own rate, and are drawn as such.)
 * @param strata One rate a task; each counts the same, however many images it has.
 * @returns null where there are no strata, or one is empty.
 */
export function bootstrapAverage(strata: readonly Rate[], options: BootstrapOptions = {}): Interval | null {
  const { seed = 0, replicates = 2000, stream = [] } = options;
  if (!Number.isInteger(replicates) || replicates < 1) {
    throw new RangeError(`Cannot bootstrap: expected at least 1 replicate, got ${replicates}`);
  }
  if (strata.length === 0 || strata.some(({ n }) => n === 0)) return null;
  const means = new Float64Array(replicates);
  strata.forEach(({ hits, n }, index) => {
    const cumulative = binomialCumulative(n, hits / n);
    const random = randomStream(seed, "bootstrap", ...stream, index);
    for (let replicate = 0; replicate < replicates; replicate++) means[replicate]! += drawBinomial(cumulative, random) / n / strata.length;
  });
  means.sort();
  // Sums of fractions may pass 1 by a rounding error.
  return [Math.max(0, quantile(means, 0.025)), Math.min(1, quantile(means, 0.975))];
}

/** Quantile of sorted values, with linear interpolation between the two nearest (numpy's and R's default, type 7). */
export function quantile(sorted: ArrayLike<number>, probability: number): number {
  const place = probability * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (place - below) * (sorted[above]! - sorted[below]!);
}

/** P(hits <= k) for k = 0..n, from products and sums alone (outwards from the mode), so that it is the same on every machine. */
function binomialCumulative(n: number, p: number): Float64Array {
  const weights = new Float64Array(n + 1);
  const mode = Math.min(n, Math.floor((n + 1) * p));
  weights[mode] = 1;
  const odds = p / (1 - p);
  for (let k = mode; k < n; k++) weights[k + 1] = ((weights[k]! * (n - k)) / (k + 1)) * odds;
  for (let k = mode; k > 0; k--) weights[k - 1] = (weights[k]! * k) / (n - k + 1) / odds;
  let total = 0;
  for (let k = 0; k <= n; k++) {
    total += weights[k]!;
    weights[k] = total;
  }
  return weights.map((weight) => weight / total);
}

function drawBinomial(cumulative: Float64Array, random: RandomStream): number {
  const u = random.uniform();
  let [low, high] = [0, cumulative.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cumulative[middle]! > u) high = middle;
    else low = middle + 1;
  }
  return low;
}
