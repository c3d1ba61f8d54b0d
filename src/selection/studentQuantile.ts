/**
 * Quantile of Student's t distribution, from its closed form for whole degrees of freedom (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4).
 * @param degrees Degrees of freedom, a positive integer.
 * @param coverage P(|T| <= t); default 0.95, so that t is the 97.5 % point.
 * @throws {RangeError} if an argument is out of range.
 */
export function studentQuantile(degrees: number, coverage = 0.95): number {
  if (!Number.isInteger(degrees) || degrees < 1) {
    throw new RangeError(`Cannot compute a quantile of Student's t: expected degrees of freedom of at least 1, got ${degrees}`);
  }
  if (!(coverage > 0 && coverage < 1)) {
    throw new RangeError(`Cannot compute a quantile of Student's t: expected a coverage between 0 and 1, got ${coverage}`);
  }
  let [low, high] = [0, Math.PI / 2];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (centralProbability(middle, degrees) < coverage) low = middle;
    else high = middle;
  }
  return Math.tan((low + high) / 2) * Math.sqrt(degrees);
}

/** P(|T| <= t) at `t = √degrees · tan(angle)`. */
function centralProbability(angle: number, degrees: number): number {
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const odd = degrees % 2 === 1;
  let term = odd ? cosine : 1;
  let sum = 0;
  for (let order = odd ? 1 : 0; order <= degrees - 2; order += 2) {
    sum += term;
    term *= (cosine * cosine * (order + 1)) / (order + 2);
  }
  return odd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum;
}
