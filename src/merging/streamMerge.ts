import { setImmediate as nextTurn } from "node:timers/promises";
import type { TensorSource } from "../checkpoints";
import type { MergingKernel, Slice, StatisticsPass } from "./kernel";

/** One model's parameters, wherever they lie. */
export type ParameterReader = Pick<TensorSource, "readFloat32Into">;

/** A parameter that is merged. */
export interface StreamedTensor {
  readonly name: string;
  readonly elements: number;
}

/** What to merge and how. */
export interface StreamMergeRequest {
  readonly kernel: MergingKernel;
  /** At least one, in the order in which the result is wanted. */
  readonly tensors: readonly StreamedTensor[];
  /** θ₀. */
  readonly pretrained: ParameterReader;
  /** θ_t, at least one. */
  readonly models: readonly ParameterReader[];
  /** Elements held of each model at a time, twice over; default 2^18 (1 MiB). The result does not depend on it. */
  readonly sliceElements?: number;
  /** Aborting makes the next step reject with the signal's reason, after the reads under way have ended. */
  readonly signal?: AbortSignal | undefined;
  /** Called about a hundred times with the fraction done, in [0, 1], and what is being done. */
  readonly onProgress?: ((fraction: number, title: string) => void) | undefined;
}

/** A stretch of one merged parameter; the values hold until the next one is asked for. */
export interface MergedSlice {
  readonly name: string;
  readonly start: number;
  readonly values: Float32Array;
}

interface Step {
  readonly tensor: StreamedTensor;
  readonly start: number;
  readonly length: number;
  readonly title: string;
  /** A statistic's look at the slice; undefined where the slice is merged. */
  readonly look: ((slice: Slice) => void) | undefined;
}

interface LoadedStep {
  readonly step: Step;
  readonly buffers: readonly Float32Array[];
  readonly slice: Slice;
}

/**
 * Merges models that need not fit into memory. Yields the merged parameters tensor by tensor, each from its first element on; while the
 * consumer writes one slice, the next is read and computed.
 */
export async function* streamMerge(request: StreamMergeRequest): AsyncGenerator<MergedSlice, void> {
  const slices = computeSlices(request);
  let next = slices.next();
  try {
    for (;;) {
      const current = await next;
      if (current.done === true) return;
      next = slices.next();
      // The loop meets a failure when it awaits it; until then it must not count as unhandled.
      next.catch(() => undefined);
      yield current.value;
    }
  } finally {
    await Promise.allSettled([next]);
    await slices.return();
  }
}

async function* computeSlices(request: StreamMergeRequest): AsyncGenerator<MergedSlice, void> {
  const { kernel, tensors, models, signal, onProgress } = request;
  const longest = Math.max(1, ...tensors.map((tensor) => tensor.elements));
  const sliceElements = Math.min(longest, request.sliceElements ?? 2 ** 18);
  const makeBuffers = (): readonly Float32Array[] => Array.from({ length: models.length + 1 }, () => new Float32Array(sliceElements));
  const outputs = [new Float32Array(sliceElements), new Float32Array(sliceElements)];
  const steps = planSteps(request, sliceElements);
  const total = countSteps(request, sliceElements);
  let spare = makeBuffers();
  let ahead: Promise<LoadedStep> | undefined = load(steps.next().value, makeBuffers(), request);
  try {
    for (let done = 0; ahead !== undefined; done++) {
      const current: LoadedStep = await ahead;
      signal?.throwIfAborted();
      const next: Step | undefined = steps.next().value ?? undefined;
      const again = next !== undefined && next.tensor === current.step.tensor && next.start === current.step.start;
      ahead = next === undefined || again ? undefined : load(next, spare, request);
      ahead?.catch(() => undefined);
      // Lets the consumer's write begin before this thread is busy again.
      await nextTurn();
      const { step, slice } = current;
      if (step.look !== undefined) step.look(slice);
      else {
        const values = outputs.reverse()[0]!.subarray(0, step.length);
        kernel.mergeSlice(slice, values);
        yield { name: step.tensor.name, start: step.start, values };
      }
      if (again) ahead = Promise.resolve({ ...current, step: next });
      else spare = current.buffers;
      if (done % Math.ceil(total / 100) === 0) onProgress?.(done / total, step.title);
    }
    onProgress?.(1, "merge");
  } finally {
    await Promise.allSettled([ahead]);
  }
}

/** Every look at a slice, in order: the passes over all tensors, then for each tensor its own passes and its merge. */
function* planSteps({ kernel, tensors }: StreamMergeRequest, sliceElements: number): Generator<Step, undefined> {
  for (const pass of kernel.passes) yield* passSteps(pass, tensors, sliceElements);
  for (const tensor of tensors) {
    for (const pass of kernel.tensorPasses) yield* passSteps(pass, [tensor], sliceElements);
    for (const place of placesOf(tensor, sliceElements)) yield { ...place, title: "merge", look: undefined };
  }
  return undefined;
}

function* passSteps(pass: StatisticsPass, tensors: readonly StreamedTensor[], sliceElements: number): Generator<Step, void> {
  const elements = tensors.reduce((sum, tensor) => sum + tensor.elements, 0);
  const places = tensors.flatMap((tensor) => placesOf(tensor, sliceElements));
  for (const [index, place] of places.entries()) {
    const look = (slice: Slice): void => {
      if (index === 0) pass.begin(elements);
      pass.visit(slice);
      if (index === places.length - 1) pass.finish();
    };
    yield { ...place, title: pass.title, look };
  }
}

/** The tensor's ranges; an empty tensor has one empty range, so that it is yielded too. */
function placesOf(tensor: StreamedTensor, sliceElements: number): Pick<Step, "tensor" | "start" | "length">[] {
  const count = Math.max(1, Math.ceil(tensor.elements / sliceElements));
  return Array.from({ length: count }, (_, index) => {
    const start = index * sliceElements;
    return { tensor, start, length: Math.min(sliceElements, tensor.elements - start) };
  });
}

function countSteps({ kernel, tensors }: StreamMergeRequest, sliceElements: number): number {
  const slices = tensors.reduce((sum, tensor) => sum + Math.max(1, Math.ceil(tensor.elements / sliceElements)), 0);
  return slices * (kernel.passes.length + kernel.tensorPasses.length + 1);
}

async function load(step: Step | undefined, buffers: readonly Float32Array[], request: StreamMergeRequest): Promise<LoadedStep> {
  if (step === undefined) throw new RangeError("Cannot merge models: expected at least one parameter, got none");
  const { tensor, start, length } = step;
  const views = buffers.map((buffer) => buffer.subarray(0, length));
  const readers = [request.pretrained, ...request.models];
  const reads = await Promise.allSettled(readers.map((reader, index) => reader.readFloat32Into(tensor.name, views[index]!, start, length)));
  for (const read of reads) if (read.status === "rejected") throw read.reason;
  const [pretrained, ...models] = views as [Float32Array, ...Float32Array[]];
  return { step, buffers, slice: { name: tensor.name, pretrained, origin: pretrained, models } };
}
