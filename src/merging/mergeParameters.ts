import type { HostTensor, NamedTensors } from "../checkpoints";
import type { MergingKernel, Slice } from "./kernel";
import type { DataFreeMethod } from "./method";
import { parseOptions } from "./methods";
import { isMerged, type MergeScope } from "./scope";

/** The models to merge: fine-tuned parameters θ_t, or task vectors τ_t = θ_t − θ₀. */
export type MergeInput = { readonly finetuned: readonly NamedTensors[] } | { readonly taskVectors: readonly NamedTensors[] };

/** Settings beside the method's own options. */
export interface MergeSettings {
  /** Which parameters are merged; default `vision`. */
  readonly scope?: MergeScope;
}

/**
 * Merges models in memory by a data-free method, in float32. Gives the same bits as the streamed merge of the same fine-tuned models; task
 * vectors too, but for the weight average's rounding.
 * @param pretrained θ₀; names and order of the result.
 * @param models At least one; each has every merged parameter in the shape of θ₀. What lies outside the scope is not looked at.
 * @param options Of the method; unknown keys are refused, missing ones take the method's defaults.
 * @returns One tensor per parameter of θ₀. Merged ones are new; the others are θ₀'s own objects.
 * @throws {TypeError} if a parameter is missing, unexpected, or of another shape; {RangeError} if Ties meets NaN or infinities.
 */
export function mergeParameters<Options extends object>(
  method: DataFreeMethod<Options>,
  pretrained: NamedTensors,
  models: MergeInput,
  options: Partial<Options> = {},
  settings: MergeSettings = {},
): Map<string, HostTensor> {
  const scope = settings.scope ?? "vision";
  const given = "finetuned" in models ? models.finetuned : models.taskVectors;
  if (given.length === 0) throw new RangeError("Cannot merge models: expected at least one, got none");
  const names = [...pretrained.keys()].filter((name) => isMerged(name, scope));
  if (names.length === 0) {
    throw new TypeError('Cannot merge models: expected parameters named "vision_model.…", got none; scope "all" merges every parameter');
  }
  for (const [index, model] of given.entries()) checkModel(pretrained, names, model, `model ${index + 1}`, scope);
  const kernel = method.kernel(parseOptions(method, options), given.length);
  return runKernel(kernel, pretrained, names, given, "finetuned" in models);
}

function runKernel(
  kernel: MergingKernel,
  pretrained: NamedTensors,
  names: readonly string[],
  models: readonly NamedTensors[],
  finetuned: boolean,
): Map<string, HostTensor> {
  const longest = Math.max(...names.map((name) => pretrained.get(name)!.values.length));
  const zeros = finetuned ? undefined : new Float32Array(longest);
  const sliceOf = (name: string): Slice => {
    const { values } = pretrained.get(name)!;
    const origin = zeros?.subarray(0, values.length) ?? values;
    return { name, pretrained: values, origin, models: models.map((model) => model.get(name)!.values) };
  };
  const elements = names.reduce((sum, name) => sum + pretrained.get(name)!.values.length, 0);
  for (const pass of kernel.passes) {
    pass.begin(elements);
    for (const name of names) pass.visit(sliceOf(name));
    pass.finish();
  }
  const result = new Map(pretrained);
  for (const name of names) {
    const slice = sliceOf(name);
    for (const pass of kernel.tensorPasses) {
      pass.begin(slice.pretrained.length);
      pass.visit(slice);
      pass.finish();
    }
    const values = new Float32Array(slice.pretrained.length);
    kernel.mergeSlice(slice, values);
    result.set(name, { shape: pretrained.get(name)!.shape, values });
  }
  return result;
}

function checkModel(pretrained: NamedTensors, names: readonly string[], model: NamedTensors, label: string, scope: MergeScope): void {
  for (const name of names) checkShape(name, pretrained.get(name)!.shape, model.get(name)?.shape, label);
  for (const name of model.keys()) {
    if (isMerged(name, scope) && !pretrained.has(name)) throw unexpectedParameter(name, label);
  }
}

/** @throws {TypeError} if a parameter is missing from a model or has another shape than the pretrained one. */
export function checkShape(name: string, expected: readonly number[], got: readonly number[] | undefined, label: string): void {
  const show = (shape: readonly number[]): string => `[${shape.join(", ")}]`;
  if (got === undefined) {
    throw new TypeError(`Cannot merge "${name}": expected shape ${show(expected)} as in the pretrained model, got nothing in ${label}`);
  }
  if (got.length !== expected.length || got.some((size, axis) => size !== expected[axis])) {
    throw new TypeError(
      `Cannot merge "${name}": expected shape ${show(expected)} as in the pretrained model, got ${show(got)} in ${label}`,
    );
  }
}

/** The error for a parameter that only a model has. */
export function unexpectedParameter(name: string, label: string): TypeError {
  return new TypeError(`Cannot merge "${name}": expected only parameters of the pretrained model, got this one in ${label}`);
}
