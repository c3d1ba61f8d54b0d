/**
 * @file What a data-free merging method is made of: arithmetic on aligned slices of the parameters, and the exact statistics it needs first.
 *
 * One kernel serves both drivers: `mergeParameters()` hands it whole tensors from memory, `streamMerge()` slices of files. Kernels work element
 * by element and their statistics are counts, so both give the same bits however the tensors are cut.
 */

/** The same range of one parameter tensor in every model; the arrays belong to the driver and hold until the call returns. */
export interface Slice {
  /** Parameter name. */
  readonly name: string;
  /** θ₀ on this range. */
  readonly pretrained: Float32Array;
  /** What `models` are measured from: `pretrained` itself for fine-tuned models, zeros for task vectors. τ_t = models[t] − origin. */
  readonly origin: Float32Array;
  /** θ_t, or τ_t when `origin` is zero. */
  readonly models: readonly Float32Array[];
}

/** One exact statistic, gathered by showing every slice once. */
export interface StatisticsPass {
  /** What the pass counts, for progress lines. */
  readonly title: string;
  /** @param elements How many elements the coming slices hold together, in one model. */
  begin(elements: number): void;
  visit(slice: Slice): void;
  finish(): void;
}

/** A method of which there is a compiled form that gives the same bits, for models in files; see `files/`. */
export type CompiledMethod =
  | { readonly kind: "average" }
  | { readonly kind: "task_arithmetic"; readonly scaling: number }
  | {
      readonly kind: "ties";
      readonly scaling: number;
      readonly density: number;
      readonly trim: "global" | "tensor";
      readonly aggregate: "sum" | "mean";
    };

/** A merging method at work on one set of models. */
export interface MergingKernel {
  /** Statistics over all merged tensors; run in this order before the first `mergeSlice`. */
  readonly passes: readonly StatisticsPass[];
  /** Statistics over one tensor; run in this order on each tensor before its slices are merged, which then come in order. */
  readonly tensorPasses: readonly StatisticsPass[];
  /** Default: none; files are then merged by this kernel too. */
  readonly compiled?: CompiledMethod;
  /** Writes the merged parameters of the slice; `merged` is as long as the slice. */
  mergeSlice(slice: Slice, merged: Float32Array): void;
}

/**
 * Adds task vectors to `sum` in float32, one after the other: sum ← ((sum + τ₁) + τ₂) + …, each τ_t rounded to float32 first, as the
 * PyTorch implementations do.
 */
export function addTaskVectors(sum: Float32Array, models: readonly Float32Array[], origin: Float32Array): void {
  const round = Math.fround;
  const length = sum.length;
  let t = 0;
  // Three at a time: half the loads and stores.
  for (; t + 2 < models.length; t += 3) {
    const a = models[t]!;
    const b = models[t + 1]!;
    const c = models[t + 2]!;
    for (let i = 0; i < length; i++) {
      const from = origin[i]!;
      sum[i] = round(round(round(sum[i]! + round(a[i]! - from)) + round(b[i]! - from)) + round(c[i]! - from));
    }
  }
  for (; t < models.length; t++) {
    const a = models[t]!;
    for (let i = 0; i < length; i++) sum[i] = round(sum[i]! + round(a[i]! - origin[i]!));
  }
}
