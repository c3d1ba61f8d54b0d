/** Learning rate by step. */
export interface CosineSchedule {
  /** Largest learning rate. */
  readonly peak: number;
  /** Steps of linear rise from 0; the rate of step 0 is peak / warmup. */
  readonly warmup: number;
  /** Steps in all; the rate falls to 0 along half a cosine after the rise. */
  readonly steps: number;
}

/**
 * Learning rate of one step of a linear rise followed by half a cosine (Loshchilov and Hutter 2017, arXiv:1608.03983).
 * @param step 0 … steps − 1.
 */
export function cosineLearningRate(step: number, { peak, warmup, steps }: CosineSchedule): number {
  if (step < warmup) return (peak * (step + 1)) / warmup;
  return (peak * (1 + Math.cos((Math.PI * (step - warmup)) / Math.max(1, steps - warmup)))) / 2;
}
