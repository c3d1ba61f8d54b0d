/**
 * @file What a thread does of a merge. Each function takes piece after piece, the next that no other thread has taken, until none is left; the
 * bytes that come out do not depend on who took which. Files are read and written by position, in the calling thread.
 */
import { createHash } from "node:crypto";
import { readBytesSync } from "../../checkpoints/readFloats";
import { nativeHashing } from "../../engine/native/hashing";
import type { MagnitudeWindow } from "../../engine/simd/merges";
import { cutAt, trimRank } from "../trimming";
import { cutPieces, spreadPieces, type MergeTable } from "./mergeTable";
import { exactWindow, guessWindow, RankSearch } from "./rankSearch";
import type { HashedBytes } from "./hashFiles";
import { sha256Pair } from "./sha256Pair";
import {
  countSlice,
  join,
  mergeSlice,
  sample,
  SHARED,
  slicesFor,
  slicesOf,
  takePieces,
  type Arithmetic,
  type Output,
  type PiecesRequest,
} from "./slices";

const HASH_BYTES = 2 ** 20;
/** Runs that a sample of a tensor consists of, of so many elements; tensors up to the other size are looked at whole. */
const SAMPLE_RUN = 256;
const SAMPLE_WHOLE = 4096;

/** Of the trimmed sums: positive ones more than negative, and the pieces in which entries cancelled out. */
export interface SignCounts {
  balance: number;
  readonly cancelled: number[];
}

/** Merges pieces. */
export function mergePieces({
  arithmetic,
  output,
  ...request
}: PiecesRequest & { readonly arithmetic: Arithmetic; readonly output: Output }): SignCounts {
  const slices = slicesFor(request.table);
  const counts: SignCounts = { balance: 0, cancelled: [] };
  if (arithmetic.kind === "ties") slices.setCuts(arithmetic.cuts);
  for (const piece of takePieces(request)) {
    let cancelled = 0;
    for (const slice of slicesOf(request, piece)) {
      const found = mergeSlice(slices, request.table, slice, arithmetic, output);
      counts.balance += found.balance;
      cancelled += found.cancelled;
    }
    if (cancelled > 0) counts.cancelled.push(piece);
  }
  return counts;
}

/** Counts every model's magnitudes in its window; null for a model with a NaN or an infinity. */
export function countPieces({
  windows,
  ...request
}: PiecesRequest & { readonly windows: readonly MagnitudeWindow[] }): ({ below: number; buckets: Uint32Array } | null)[] {
  const slices = slicesFor(request.table);
  slices.beginCount(windows);
  const below: (number | null)[] = windows.map(() => 0);
  for (const piece of takePieces(request)) {
    for (const slice of slicesOf(request, piece)) countSlice(slices, request.table, slice, windows, below);
  }
  return windows.map(({ count }, model) => {
    const found = below[model];
    return found === undefined || found === null ? null : { below: found, buckets: slices.buckets(model, count).slice() };
  });
}

/** Task vectors on the pieces, one array a model. */
export function samplePieces(request: PiecesRequest): Float32Array[] {
  const parts: Float32Array[][] = Array.from({ length: request.table.sources - 1 }, () => []);
  for (const piece of takePieces(request)) {
    for (const [model, values] of sample(request.table, request.pieces, piece).entries()) parts[model]!.push(values);
  }
  return parts.map(join);
}

/** Ties with magnitudes ranked tensor by tensor: each stretch is a tensor, and a piece. */
export function mergeTensors({
  arithmetic,
  density,
  output,
  ...request
}: PiecesRequest & { readonly arithmetic: Arithmetic & { kind: "ties" }; readonly density: number; readonly output: Output }): void {
  const { table } = request;
  const slices = slicesFor(table);
  for (const piece of takePieces(request)) {
    const tensor = request.pieces.stretches[piece]!;
    const elements = table.elements[tensor]!;
    const { kept, rank } = trimRank("tensor", density, elements);
    const searches = startSearches(table, tensor, elements, rank);
    while (searches.some(({ magnitude }) => magnitude === undefined)) {
      const windows = searches.map(({ window }) => window);
      const below: (number | null)[] = windows.map(() => 0);
      slices.beginCount(windows);
      for (const slice of slicesOf(request, piece, 0)) countSlice(slices, table, slice, windows, below);
      if (Atomics.load(request.shared, SHARED.stop)) return;
      for (const [model, search] of searches.entries()) {
        const found = below[model] ?? null;
        if (found === null) throw notFinite(model, searches.length);
        if (search.magnitude === undefined) search.narrow({ below: found, buckets: slices.buckets(model, search.window.count) });
      }
    }
    slices.setCuts(searches.map(({ magnitude, above }) => cutAt("tensor", kept, magnitude!, above)));
    for (const slice of slicesOf(request, piece)) mergeSlice(slices, table, slice, arithmetic, output);
  }
}

/** The sha256 of one or two files' first bytes; of fewer if told to stop. */
export function hashBytes({ files, shared }: { files: readonly HashedBytes[]; shared: Int32Array }): string[] {
  const stopped = (): boolean => Atomics.load(shared, SHARED.stop) !== 0;
  const hashing = nativeHashing();
  if (hashing === null) return files.map(({ descriptor, bytes }) => hashAlone(descriptor, bytes, stopped));
  const read = files.map(({ descriptor, bytes }) => ({
    bytes,
    read: (target: Uint8Array, position: number) => readBytesSync(descriptor, target, position),
  }));
  return sha256Pair(read, hashing, stopped);
}

function hashAlone(descriptor: number, bytes: number, stopped: () => boolean): string {
  const hash = createHash("sha256");
  const buffer = new Uint8Array(Math.min(HASH_BYTES, bytes));
  for (let done = 0; done < bytes && !stopped(); done += HASH_BYTES) {
    const piece = buffer.subarray(0, Math.min(HASH_BYTES, bytes - done));
    readBytesSync(descriptor, piece, done);
    hash.update(piece);
  }
  return hash.digest("hex");
}

/** A model that can't be ranked. */
export function notFinite(model: number, models: number): RangeError {
  return new RangeError(`Cannot trim model ${model + 1} of ${models}: expected finite parameters, got NaN or an infinity`);
}

/** Searches for the deciding magnitudes of a tensor, one a model, that begin where a sample says. */
function startSearches(table: MergeTable, tensor: number, elements: number, rank: number): RankSearch[] {
  const whole = elements <= SAMPLE_WHOLE;
  const only: MergeTable = { ...table, elements: table.elements.map((each, stretch) => (stretch === tensor ? each : 0)) };
  const runs = whole ? cutPieces(only, SAMPLE_WHOLE) : spreadPieces(only, Math.ceil(elements / (16 * SAMPLE_RUN)), SAMPLE_RUN);
  const parts = Array.from(runs.stretches, (_, run) => sample(table, runs, run));
  return Array.from({ length: table.sources - 1 }, (_, model) => {
    const values = join(parts.map((part) => part[model]!));
    return new RankSearch(elements, rank, whole ? exactWindow(values, rank) : guessWindow(values, rank / elements));
  });
}
