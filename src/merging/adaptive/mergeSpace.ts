/**
 * @file Where merged models live: θ_l = θ0_l + Σ_t λ_{t,l} · (m_l ⊙ τ_{t,l}), tensor by tensor, in plain memory.
 *
 * Task vectors are read where they are: nothing here copies or masks one of them as a whole. The gradients are closed forms of G = ∂L/∂θ,
 * so that one backward pass through the encoder serves all of them: ∂L/∂λ_{t,l} = ⟨G_l, m_l ⊙ τ_{t,l}⟩ and ∂L/∂m_l = G_l ⊙ Σ_t λ_{t,l} τ_{t,l}.
 */
import type { HostTensor, NamedTensors } from "../../checkpoints";
import { layoutParameters, vectorLength, type ParameterLayout } from "../../training";
import { checkShape } from "../mergeParameters";
import { isMerged } from "../scope";

/** A pretrained model and task vectors on it, aligned. Only `vision_model.*` is merged. */
export interface MergeSpace {
  /** The merged parameters, in the pretrained model's order, one after another. */
  readonly layout: ParameterLayout;
  /** Elements of all merged parameters together. */
  readonly length: number;
  /** θ0 of each merged parameter. */
  readonly origins: readonly Float32Array[];
  /** τ_t of each merged parameter: [layer][task]. */
  readonly vectors: readonly (readonly Float32Array[])[];
  /** θ0, all of it; what is not merged is its own. */
  readonly pretrained: NamedTensors;
  readonly tasks: number;
}

/**
 * Aligns task vectors with the pretrained model. Shares their memory.
 * @param taskVectors τ_t = θ_t − θ0; at least one; each has every merged parameter in the shape of θ0.
 * @throws {TypeError} if a parameter is missing or has another shape; {RangeError} if there is no task vector.
 */
export function createMergeSpace(pretrained: NamedTensors, taskVectors: readonly NamedTensors[]): MergeSpace {
  if (taskVectors.length === 0) throw new RangeError("Cannot merge task vectors: expected at least one, got none");
  const names = [...pretrained.keys()].filter((name) => isMerged(name, "vision"));
  if (names.length === 0) throw new TypeError('Cannot merge task vectors: expected parameters named "vision_model.…", got none');
  for (const name of names) {
    for (const [index, vector] of taskVectors.entries()) {
      checkShape(name, pretrained.get(name)!.shape, vector.get(name)?.shape, `task vector ${index + 1}`);
    }
  }
  const layout = layoutParameters(names.map((name) => [name, pretrained.get(name)!.shape] as const));
  return {
    layout,
    length: vectorLength(layout),
    origins: names.map((name) => pretrained.get(name)!.values),
    vectors: names.map((name) => taskVectors.map((vector) => vector.get(name)!.values)),
    pretrained,
    tasks: taskVectors.length,
  };
}

/** Whether there is one coefficient a task or one a task and parameter tensor. */
export type CoefficientGranularity = "task" | "layer";

/** Merging coefficients λ. */
export interface Coefficients {
  readonly granularity: CoefficientGranularity;
  /** Task-wise [tasks]; layer-wise [tasks, layers]. */
  readonly values: Float32Array;
}

/** All coefficients the same. */
export function startCoefficients(space: MergeSpace, granularity: CoefficientGranularity, value: number): Coefficients {
  const count = granularity === "task" ? space.tasks : space.tasks * space.layout.length;
  return { granularity, values: new Float32Array(count).fill(value) };
}

/** Place of λ_{t,l} among the values. */
export function coefficientIndex(space: MergeSpace, granularity: CoefficientGranularity, task: number, layer: number): number {
  return granularity === "task" ? task : task * space.layout.length + layer;
}

/**
 * U = Σ_t λ_t τ_t, without masks.
 * @param target Where to, `space.length` values; a new vector by default.
 */
export function combineTaskVectors(
  space: MergeSpace,
  { granularity, values }: Coefficients,
  target = new Float32Array(space.length),
): Float32Array {
  for (const [layer, { start, end }] of space.layout.entries()) {
    const sum = target.subarray(start, end);
    const vectors = space.vectors[layer]!;
    const factor = (task: number): number => (task < space.tasks ? values[coefficientIndex(space, granularity, task, layer)]! : 0);
    for (let task = 0; task < space.tasks; task += 3) {
      const [first, second, third] = three(vectors, task);
      addThree(sum, task === 0, first, factor(task), second, factor(task + 1), third, factor(task + 2));
    }
  }
  return target;
}

/**
 * θ = θ0 + m ⊙ U on the merged parameters.
 * @param mask One factor an element; null leaves all as they are.
 */
export function mergeMasked(
  space: MergeSpace,
  combined: Float32Array,
  mask: Float32Array | null,
  target = new Float32Array(space.length),
): Float32Array {
  for (const [layer, { start, end }] of space.layout.entries()) {
    const origin = space.origins[layer]!;
    if (mask) for (let i = start, j = 0; i < end; i++, j++) target[i] = origin[j]! + mask[i]! * combined[i]!;
    else for (let i = start, j = 0; i < end; i++, j++) target[i] = origin[j]! + combined[i]!;
  }
  return target;
}

/**
 * ∂L/∂λ_{t,l} = ⟨G_l, m_l ⊙ τ_{t,l}⟩; task-wise the sum over l.
 * @param gradient G = ∂L/∂θ on the merged parameters.
 */
export function coefficientGradient(
  space: MergeSpace,
  granularity: CoefficientGranularity,
  gradient: Float32Array,
  mask: Float32Array | null,
): Float32Array {
  const sums = new Float64Array(granularity === "task" ? space.tasks : space.tasks * space.layout.length);
  for (const [layer, { start, end }] of space.layout.entries()) {
    // Block by block, so that the masked gradient stays in the processor's cache while all task vectors pass it.
    for (let from = start; from < end; from += BLOCK) {
      const count = Math.min(BLOCK, end - from);
      for (let i = 0; i < count; i++) block[i] = mask ? gradient[from + i]! * mask[from + i]! : gradient[from + i]!;
      for (let task = 0; task < space.tasks; task += 3) {
        const [first, second, third] = three(space.vectors[layer]!, task);
        const products = dotThree(first, second, third, from - start, count);
        for (let k = 0; k < 3 && task + k < space.tasks; k++) sums[coefficientIndex(space, granularity, task + k, layer)]! += products[k]!;
      }
    }
  }
  return Float32Array.from(sums);
}

/** ∂L/∂m = G ⊙ U, element by element. */
export function maskGradient(gradient: Float32Array, combined: Float32Array, target = new Float32Array(gradient.length)): Float32Array {
  for (let i = 0; i < gradient.length; i++) target[i] = gradient[i]! * combined[i]!;
  return target;
}

/** The whole model of merged parameters: new tensors for those, θ0's own objects for the others. */
export function mergedParameters(space: MergeSpace, theta: Float32Array): Map<string, HostTensor> {
  const result = new Map(space.pretrained);
  for (const { name, shape, start, end } of space.layout) result.set(name, { shape, values: theta.slice(start, end) });
  return result;
}

const BLOCK = 4096;
const block = new Float64Array(BLOCK);

/** The vectors of a task and the next two; the last one again where there are fewer. */
function three(vectors: readonly Float32Array[], task: number): [Float32Array, Float32Array, Float32Array] {
  const at = (index: number): Float32Array => vectors[Math.min(index, vectors.length - 1)]!;
  return [at(task), at(task + 1), at(task + 2)];
}

/** Dot products of the block with part of three task vectors; three at once, so that additions need not wait for each other. */
function dotThree(first: Float32Array, second: Float32Array, third: Float32Array, from: number, count: number): [number, number, number] {
  let [a, b, c] = [0, 0, 0];
  for (let i = 0; i < count; i++) {
    const value = block[i]!;
    a += value * first[from + i]!;
    b += value * second[from + i]!;
    c += value * third[from + i]!;
  }
  return [a, b, c];
}

/** target ← (0, or target) + three vectors times their factors. */
function addThree(
  target: Float32Array,
  fresh: boolean,
  first: Float32Array,
  factor1: number,
  second: Float32Array,
  factor2: number,
  third: Float32Array,
  factor3: number,
): void {
  if (fresh) {
    for (let i = 0; i < target.length; i++) target[i] = factor1 * first[i]! + factor2 * second[i]! + factor3 * third[i]!;
  } else {
    for (let i = 0; i < target.length; i++) {
      target[i] = target[i]! + factor1 * first[i]! + factor2 * second[i]! + factor3 * third[i]!;
    }
  }
}
