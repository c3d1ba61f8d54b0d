/**
 * @file Where merged models live: θ_l = θ0_l + Σ_t λ_{t,l} · (m_l ⊙ τ_{t,l}), tensor by tensor, in plain memory.
 *
 * Task vectors are read where they are: nothing here copies or masks one of them as a whole. The gradients are closed forms of G = ∂L/∂θ,
 * so that one backward pass through the encoder serves all of them: ∂L/∂λ_{t,l} = ⟨G_l, m_l ⊙ τ_{t,l}⟩ and ∂L/∂m_l = G_l ⊙ Σ_t λ_{t,l} τ_{t,l}.
 */
import type { HostTensor, NamedTensors } from "../../checkpoints";
import { dotVectors, mergeVectors, nativeVectors, placeVectors, type Vectors } from "../../engine";
import { layoutParameters, vectorLength, type ParameterLayout } from "../../training";
import { checkShape } from "../mergeParameters";
import { isMerged } from "../scope";
import { storeTensor, type StoredVector, type VectorDtype } from "./storedVectors";

/** A pretrained model and task vectors on it, aligned. Only `vision_model.*` is merged. */
export interface MergeSpace {
  /** The merged parameters, in the pretrained model's order, one after another. */
  readonly layout: ParameterLayout;
  /** Elements of all merged parameters together. */
  readonly length: number;
  /** θ0 of each merged parameter. */
  readonly origins: readonly Float32Array[];
  /** τ_t of each merged parameter: [layer][task]; all float32, or all the bits of bfloat16. */
  readonly vectors: readonly Vectors[];
  /** θ0, all of it; what is not merged is its own. */
  readonly pretrained: NamedTensors;
  readonly tasks: number;
}

/**
 * Aligns task vectors with the pretrained model. Shares the memory of those that are held as the space is to hold them.
 * @param taskVectors τ_t = θ_t − θ0; at least one; each has every merged parameter in the shape of θ0.
 * @param dtype How the space holds them.
 * @throws {TypeError} if a parameter is missing or has another shape; {RangeError} if there is no task vector.
 */
export function createMergeSpace(
  pretrained: NamedTensors,
  taskVectors: readonly StoredVector[],
  dtype: VectorDtype = "float32",
): MergeSpace {
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
    vectors: names.map((name) => taskVectors.map((vector) => storeTensor(vector.get(name)!, dtype).values) as Vectors),
    pretrained,
    tasks: taskVectors.length,
  };
}

/** The space with its task vectors where the running engine computes with them fastest: on `wasm` copies, unless they lie there already. */
export function placeMergeSpace(space: MergeSpace): MergeSpace {
  return { ...space, vectors: placeVectors(space.vectors) };
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
  coefficients: Coefficients,
  target: Float32Array = new Float32Array(space.length),
): Float32Array {
  mergeLayers(space, coefficients, { combined: target, theta: null, mask: null });
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
  target: Float32Array = new Float32Array(space.length),
): Float32Array {
  const native = nativeVectors();
  for (const [layer, { start, end }] of space.layout.entries()) {
    const origin = space.origins[layer]!;
    if (native) native.addMasked(target.subarray(start, end), origin, mask && mask.subarray(start, end), combined.subarray(start, end));
    else if (mask) for (let i = start, j = 0; i < end; i++, j++) target[i] = origin[j]! + mask[i]! * combined[i]!;
    else for (let i = start, j = 0; i < end; i++, j++) target[i] = origin[j]! + combined[i]!;
  }
  return target;
}

/**
 * θ = θ0 + m ⊙ Σ_t λ_t τ_t from one reading of the task vectors: what `mergeMasked` gives of `combineTaskVectors`.
 * @param targets Where to; `combined` receives U, if it is wanted.
 */
export function mergeTaskVectors(
  space: MergeSpace,
  coefficients: Coefficients,
  mask: Float32Array | null,
  {
    theta = new Float32Array(space.length),
    combined = null,
  }: { readonly theta?: Float32Array; readonly combined?: Float32Array | null } = {},
): Float32Array {
  mergeLayers(space, coefficients, { combined, theta, mask });
  return theta;
}

function mergeLayers(
  space: MergeSpace,
  { granularity, values }: Coefficients,
  { combined, theta, mask }: { combined: Float32Array | null; theta: Float32Array | null; mask: Float32Array | null },
): void {
  for (const [layer, { start, end }] of space.layout.entries()) {
    const part = (of: Float32Array | null): Float32Array | null => of && of.subarray(start, end);
    const vectors = space.vectors[layer]!;
    const factors = Array.from({ length: space.tasks }, (_, task) => values[coefficientIndex(space, granularity, task, layer)]!);
    mergeVectors({ combined: part(combined), theta: part(theta), origin: space.origins[layer]!, mask: part(mask) }, vectors, factors);
  }
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
    const own = granularity === "task" ? sums : new Float64Array(space.tasks);
    dotVectors(gradient.subarray(start, end), mask && mask.subarray(start, end), space.vectors[layer]!, own);
    if (own !== sums) for (const [task, product] of own.entries()) sums[coefficientIndex(space, granularity, task, layer)] = product;
  }
  return Float32Array.from(sums);
}

/** ∂L/∂m = G ⊙ U, element by element. */
export function maskGradient(
  gradient: Float32Array,
  combined: Float32Array,
  target: Float32Array = new Float32Array(gradient.length),
): Float32Array {
  const native = nativeVectors();
  if (native) native.multiplyVectors(target, gradient, combined);
  else for (let i = 0; i < gradient.length; i++) target[i] = gradient[i]! * combined[i]!;
  return target;
}

/** The whole model of merged parameters: new tensors for those, θ0's own objects for the others. */
export function mergedParameters(space: MergeSpace, theta: Float32Array): Map<string, HostTensor> {
  const result = new Map(space.pretrained);
  for (const { name, shape, start, end } of space.layout) result.set(name, { shape, values: theta.slice(start, end) });
  return result;
}
