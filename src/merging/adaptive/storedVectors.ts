/** How task vectors are held in memory while a test-time method runs. */
import { z } from "zod";
import { narrowToBfloat16, type HostTensor } from "../../checkpoints";
import { allocateVectors, widenBfloat16 } from "../../engine";

/** `bfloat16` takes half the memory; each element is rounded once to the nearest, ties to even, and computed with in float32. */
export type VectorDtype = "float32" | "bfloat16";

/** What each test-time method says of its option `vectorDtype`. */
export const VECTOR_DTYPE_TEXT =
  "how task vectors are held in memory; bfloat16 takes half of it and rounds each element by at most 2^-8 of itself";

/** Schema of the option, with its default. */
export const vectorDtypeSchema = z.enum(["float32", "bfloat16"]).default("float32");

/** A tensor of a task vector: float32, or the bits of bfloat16. */
export interface StoredTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array | Uint16Array;
}

/** A task vector by parameter name. */
export type StoredVector = ReadonlyMap<string, StoredTensor>;

/** A tensor as it is to be held; what is held so already keeps its memory. */
export function storeTensor(tensor: StoredTensor, dtype: "float32"): HostTensor;
export function storeTensor(tensor: StoredTensor, dtype: VectorDtype): StoredTensor;
export function storeTensor({ shape, values }: StoredTensor, dtype: VectorDtype): StoredTensor {
  if (values instanceof Uint16Array) {
    if (dtype === "bfloat16") return { shape, values };
    const wide = new Float32Array(values.length);
    widenBfloat16(values, wide);
    return { shape, values: wide };
  }
  return { shape, values: dtype === "bfloat16" ? narrowToBfloat16(values) : values };
}

/** A task vector as it is to be held, tensor by tensor; the vector itself if it is held so already. */
export function storeTaskVector(vector: StoredVector, dtype: "float32"): ReadonlyMap<string, HostTensor>;
export function storeTaskVector(vector: StoredVector, dtype: VectorDtype): StoredVector;
export function storeTaskVector(vector: StoredVector, dtype: VectorDtype): StoredVector {
  const held = ({ values }: StoredTensor): boolean => values instanceof Uint16Array === (dtype === "bfloat16");
  if ([...vector.values()].every(held)) return vector;
  return new Map([...vector].map(([name, tensor]) => [name, storeTensor(tensor, dtype)]));
}

/**
 * Task vectors of zeros, to be filled by `fillTensor`, as they are to be held and where the running engine computes with them fastest.
 * @param shapes Of the merged parameters.
 */
export function allocateTaskVectors(
  shapes: Iterable<readonly [name: string, shape: readonly number[]]>,
  tasks: number,
  dtype: VectorDtype,
): Map<string, StoredTensor>[] {
  const entries = [...shapes];
  const lengths = entries.map(([, shape]) => shape.reduce((product, length) => product * length, 1));
  const groups = allocateVectors(lengths, tasks, dtype);
  return Array.from(
    { length: tasks },
    (_, task) => new Map(entries.map(([name, shape], i) => [name, { shape, values: groups[i]![task]! }])),
  );
}

/** Puts numbers into a tensor, rounded if it holds bfloat16. */
export function fillTensor({ values }: StoredTensor, numbers: Float32Array): void {
  values.set(values instanceof Uint16Array ? narrowToBfloat16(numbers) : numbers);
}

/** `vectorDtype` of a method's options; `float32` where the method has no such option. */
export function vectorDtypeOf(options: object): VectorDtype {
  return (options as { readonly vectorDtype?: VectorDtype }).vectorDtype ?? "float32";
}
