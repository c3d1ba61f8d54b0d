/**
 * @file Merges models in files into a file, on several threads, in bounded memory: each thread reads a slice of every model, merges it while it
 * is in the processor's cache, and writes it to its place. What comes out are the bytes of `mergeParameters()`, whatever the number of threads.
 */
import type { CompiledMethod } from "../kernel";
import { cutAt, trimRank } from "../trimming";
import type { Cut } from "../../engine/simd/merges";
import { cutPieces, pickPieces, spreadPieces, type MergeTable, type Pieces } from "./mergeTable";
import { notFinite, type SignCounts } from "./mergeThread";
import type { MergeThreads } from "./mergeThreads";
import { guessWindow, RankSearch, type WindowCounts } from "./rankSearch";
import { SHARED, SLICE_ELEMENTS, type Arithmetic, type Output } from "./slices";

/** Most elements of a piece. */
const PIECE_ELEMENTS = 8 * SLICE_ELEMENTS;
/** The sample that says where to look for the deciding magnitudes: runs, and elements of each. */
const SAMPLE = { runs: 1024, length: 256 } as const;
/** How often progress is told, in milliseconds. */
const PROGRESS_EVERY = 100;

/** A merge in files. */
export interface MergeFilesRequest {
  readonly method: CompiledMethod;
  readonly table: MergeTable;
  readonly output: Output;
  readonly threads: MergeThreads;
  /** Aborting makes the merge reject with the signal's reason, after all threads have let go of the files. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the fraction done, in [0, 1], and what is being done. */
  readonly onProgress?: ((fraction: number, title: string) => void) | undefined;
}

/** Merges every stretch of the table. @throws {RangeError} if Ties meets a NaN or an infinity. */
export async function mergeFiles(request: MergeFilesRequest): Promise<void> {
  const { method, table, output, onProgress } = request;
  const pieces = cutPieces(table, PIECE_ELEMENTS);
  if (method.kind !== "ties") {
    await runStage(request, { name: "mergePieces", title: "merge", pieces, from: 0, to: 1 }, { arithmetic: method, output });
  } else if (method.trim === "tensor") {
    const arithmetic = tiesArithmetic(method, [], true);
    const stage = { name: "mergeTensors", title: "merge", pieces: cutPieces(table, Infinity), from: 0, to: 1 };
    await runStage(request, stage, { arithmetic, density: method.density, output });
  } else await mergeTies(request, method, pieces);
  onProgress?.(1, "merge");
}

type Ties = CompiledMethod & { kind: "ties" };

function tiesArithmetic({ scaling, aggregate }: Ties, cuts: readonly Cut[], zeroPositive: boolean): Arithmetic & { kind: "ties" } {
  return { kind: "ties", scaling, mean: aggregate === "mean", cuts, zeroPositive };
}

/**
 * Ties with magnitudes ranked over the whole task vector. Which sign decides where kept entries sum to zero is known when all sums are; until
 * then it is guessed, and the pieces with such entries are merged again if the guess was wrong.
 */
async function mergeTies(request: MergeFilesRequest, method: Ties, pieces: Pieces): Promise<void> {
  const { table, output } = request;
  const elements = table.elements.reduce((sum, each) => sum + each, 0);
  const { kept, rank } = trimRank("global", method.density, elements);
  const sample = await takeSample(request);
  const searches = sample.map((values) => new RankSearch(elements, rank, guessWindow(values, rank / elements)));
  for (let look = 0; searches.some(({ magnitude }) => magnitude === undefined); look++) {
    const stage = { name: "countPieces", title: "rank magnitudes", pieces, from: look === 0 ? 0 : 0.5, to: 0.5 };
    const found = await runStage<(WindowCounts | null)[]>(request, stage, { windows: searches.map(({ window }) => window) });
    for (const [model, search] of searches.entries()) {
      const counts = addCounts(found.map((each) => each[model]!));
      if (counts === null) throw notFinite(model, searches.length);
      if (search.magnitude === undefined) search.narrow(counts);
    }
  }
  const cuts = searches.map(({ magnitude, above }) => cutAt("global", kept, magnitude!, above));
  const guess = countSigns(sample, cuts) > 0;
  const merge = (which: Pieces, zeroPositive: boolean, from: number): Promise<SignCounts[]> => {
    const stage = { name: "mergePieces", title: "merge", pieces: which, from, to: 1 };
    return runStage<SignCounts>(request, stage, { arithmetic: tiesArithmetic(method, cuts, zeroPositive), output });
  };
  const signs = await merge(pieces, guess, 0.5);
  const elected = signs.reduce((sum, { balance }) => sum + balance, 0) > 0;
  const cancelled = signs.flatMap((each) => each.cancelled);
  if (elected !== guess && cancelled.length > 0) await merge(pickPieces(pieces, cancelled), elected, 0.95);
}

/** Task vectors at places spread over all parameters, one array a model, in the same order. */
async function takeSample(request: MergeFilesRequest): Promise<Float32Array[]> {
  const pieces = spreadPieces(request.table, SAMPLE.runs, SAMPLE.length);
  const parts = await runStage<Float32Array[]>(request, { name: "samplePieces", title: "rank magnitudes", pieces, from: 0, to: 0 }, {});
  return parts[0]!.map((_, model) => Float32Array.from(parts.flatMap((part) => Array.from(part[model]!))));
}

/** How many trimmed sums of the sample are positive more than negative. */
function countSigns(sample: readonly Float32Array[], cuts: readonly Cut[]): number {
  let balance = 0;
  for (let i = 0; i < sample[0]!.length; i++) {
    let total = 0;
    for (const [model, values] of sample.entries()) if (Math.abs(values[i]!) >= cuts[model]!.magnitude) total += values[i]!;
    balance += Math.sign(total);
  }
  return balance;
}

function addCounts(parts: readonly (WindowCounts | null)[]): WindowCounts | null {
  const whole = parts.filter((part) => part !== null);
  if (whole.length < parts.length) return null;
  const buckets = Float64Array.from(whole[0]!.buckets);
  for (const part of whole.slice(1)) for (let bucket = 0; bucket < buckets.length; bucket++) buckets[bucket]! += part.buckets[bucket]!;
  return { below: whole.reduce((sum, part) => sum + part.below, 0), buckets };
}

interface Stage {
  /** Function of mergeThread.ts. */
  readonly name: string;
  readonly title: string;
  readonly pieces: Pieces;
  /** Fractions of the whole merge. */
  readonly from: number;
  readonly to: number;
}

/** Runs a function of mergeThread.ts on every thread and gives what each returns. */
async function runStage<Result>(
  { table, threads, signal, onProgress }: MergeFilesRequest,
  { name, title, pieces, from, to }: Stage,
  settings: object,
): Promise<Result[]> {
  signal?.throwIfAborted();
  const shared = new Int32Array(new SharedArrayBuffer(4 * SHARED.length));
  const slices = Math.max(
    1,
    pieces.lengths.reduce((sum, length) => sum + Math.ceil(length / SLICE_ELEMENTS), 0),
  );
  const tell = (): void => onProgress?.(from + (to - from) * Math.min(1, Atomics.load(shared, SHARED.done) / slices), title);
  const stop = (): void => void Atomics.store(shared, SHARED.stop, 1);
  signal?.addEventListener("abort", stop);
  const timer = setInterval(tell, PROGRESS_EVERY);
  try {
    tell();
    const works = Array.from({ length: threads.count }, async () => {
      try {
        return await threads.run<Result>(name, { table, pieces, shared, ...settings });
      } catch (error) {
        stop();
        throw error;
      }
    });
    const ended = await Promise.allSettled(works);
    signal?.throwIfAborted();
    return ended.map((each) => {
      if (each.status === "rejected") throw each.reason;
      return each.value;
    });
  } finally {
    clearInterval(timer);
    signal?.removeEventListener("abort", stop);
  }
}
