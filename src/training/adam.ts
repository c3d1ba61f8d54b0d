/** Adam (Kingma and Ba 2015, arXiv:1412.6980) and AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101), as in PyTorch. */

import { nativeVectors } from "../engine";

/** Settings of the optimiser. */
export interface AdamOptions {
  /** Decay of the first moment. */
  readonly beta1?: number;
  /** Decay of the second moment. */
  readonly beta2?: number;
  /** Added to the root of the second moment. */
  readonly epsilon?: number;
}

/** Part of the parameter vector with settings of its own. */
export interface ParameterGroup {
  readonly start: number;
  readonly end: number;
  /** Times the step's learning rate; 0 freezes the part. */
  readonly learningRateFactor?: number;
  /** Decoupled decay: parameters shrink by learning rate times this, each step. */
  readonly weightDecay?: number;
}

/** Moments, and how many steps they have seen. */
export interface AdamState {
  step: number;
  readonly first: Float32Array;
  readonly second: Float32Array;
}

/** The state before the first step. */
export function startAdam(length: number): AdamState {
  return { step: 0, first: new Float32Array(length), second: new Float32Array(length) };
}

/**
 * One step, in place on parameters and state.
 * @param learningRate Of this step.
 * @param groups What is trained, part by part; parameters that no group covers stay as they are. Default: everything, without decay.
 */
export function stepAdam(
  parameters: Float32Array,
  gradient: Float32Array,
  state: AdamState,
  learningRate: number,
  options: AdamOptions = {},
  groups: readonly ParameterGroup[] = [{ start: 0, end: parameters.length }],
): void {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
  const { first, second } = state;
  const native = nativeVectors();
  state.step++;
  const correction1 = 1 - beta1 ** state.step;
  const correction2 = Math.sqrt(1 - beta2 ** state.step);
  for (const { start, end, learningRateFactor = 1, weightDecay = 0 } of groups) {
    const rate = learningRate * learningRateFactor;
    if (rate === 0) continue;
    const stepSize = rate / correction1;
    const keep = 1 - rate * weightDecay;
    if (native) {
      const part = (values: Float32Array): Float32Array => values.subarray(start, end);
      const settings = Float64Array.of(stepSize, keep, beta1, beta2, correction2, epsilon);
      native.stepAdam(part(parameters), part(gradient), part(first), part(second), settings);
      continue;
    }
    for (let i = start; i < end; i++) {
      const slope = gradient[i]!;
      const moment1 = beta1 * first[i]! + (1 - beta1) * slope;
      const moment2 = beta2 * second[i]! + (1 - beta2) * slope * slope;
      first[i] = moment1;
      second[i] = moment2;
      parameters[i] = parameters[i]! * keep - (stepSize * moment1) / (Math.sqrt(moment2) / correction2 + epsilon);
    }
  }
}

/** Scales a gradient down, in place, so that its Euclidean norm is at most `limit`; returns the norm that it had. */
export function clipGradient(gradient: Float32Array, limit: number): number {
  let squares = 0;
  for (let i = 0; i < gradient.length; i++) squares += gradient[i]! * gradient[i]!;
  const norm = Math.sqrt(squares);
  const factor = limit / (norm + 1e-6);
  if (factor < 1) for (let i = 0; i < gradient.length; i++) gradient[i]! *= factor;
  return norm;
}
