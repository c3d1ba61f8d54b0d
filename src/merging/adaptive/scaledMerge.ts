import type { HostTensor, NamedTensors } from "../../checkpoints";
import { checkShape } from "../mergeParameters";
import { isMerged } from "../scope";

/**
 * A merge with all its coefficients multiplied by one factor, masks and trimming as they were: θ0 + factor · (θ − θ0), which is linear in λ.
 * So a finished run can be shrunk without running it again, whatever its method.
 * @param vectors θ0, as the merge had it.
 * @param merged θ, such as an `AdaptedMerge`.
 * @param factor 0 gives θ0, 1 the merge itself, byte for byte.
 * @returns All parameters, named and ordered as θ0's: new tensors for the merged ones, θ0's own objects for the others.
 * @throws {TypeError} if a merged parameter is missing or has another shape than θ0's; {RangeError} if the factor is not finite.
 */
export function scaledMerge(
  { pretrained }: { readonly pretrained: NamedTensors },
  { parameters }: { readonly parameters: NamedTensors },
  factor: number,
): Map<string, HostTensor> {
  if (!Number.isFinite(factor)) throw new RangeError(`Cannot scale a merge: expected a finite factor, got ${factor}`);
  const result = new Map(pretrained);
  for (const [name, { shape, values: origin }] of pretrained) {
    if (!isMerged(name, "vision")) continue;
    checkShape(name, shape, parameters.get(name)?.shape, "the merged model");
    const values = parameters.get(name)!.values.slice();
    // In float64, where the difference of two float32 numbers loses nothing that the sum would show.
    if (factor !== 1) for (let i = 0; i < values.length; i++) values[i] = origin[i]! + factor * (values[i]! - origin[i]!);
    result.set(name, { shape, values });
  }
  return result;
}
