/**
 * @file What a thread does of a merge. Each function takes piece after piece, the next that no other thread has taken, until none is left; the
 * bytes that come out do not depend on who took which. Files are read and written by position, in the calling thread.
 */
import { createHash } from "node:crypto";
import { writeSync } from "node:fs";
import { readBytesSync, readFloatsSync } from "../../checkpoints/readFloats";
import { dtypeBytes } from "../../checkpoints/dtypes";
import { convertFloats, type WritableFloat } from "../../checkpoints/writeSafetensors";
import { SliceMerges, type Cut, type MagnitudeWindow } from "../../engine/simd/merges";
import { cutAt, trimRank } from "../trimming";
import { cutPieces, placeOf, spreadPieces, type MergeTable, type Pieces } from "./mergeTable";
import { exactWindow, guessWindow, RankSearch } from "./rankSearch";

/** Elements that are in memory of each model at a time: all of them stay in the processor's cache. */
export const SLICE_ELEMENTS = 2 ** 15;
const HASH_BYTES = 2 ** 20;
/** Runs that a sample of a tensor consists of, of so many elements; tensors up to the other size are looked at whole. */
const SAMPLE_RUN = 512;
const SAMPLE_WHOLE = 4096;

/** What all threads share: the next piece, whether to stop, and elements done. */
export const SHARED = { next: 0, stop: 1, done: 2, length: 3 } as const;

/** A request to merge pieces. */
export interface PiecesRequest {
  readonly table: MergeTable;
  readonly pieces: Pieces;
  readonly shared: Int32Array;
}

/** Where the result goes. */
export interface Output {
  readonly descriptor: number;
  readonly dtype: WritableFloat;
}

/** The arithmetic on a slice. */
export type Arithmetic =
  | { readonly kind: "average" }
  | { readonly kind: "task_arithmetic"; readonly scaling: number }
  | {
      readonly kind: "ties";
      readonly scaling: number;
      readonly mean: boolean;
      readonly cuts: readonly Cut[];
      /** Whether sums of zero elect the positive sign. */
      readonly zeroPositive: boolean;
    };

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
    return found == null ? null : { below: found, buckets: slices.buckets(model, count).slice() };
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
        if (below[model] == null) throw notFinite(model, searches.length);
        if (search.magnitude === undefined) search.narrow({ below: below[model], buckets: slices.buckets(model, search.window.count) });
      }
    }
    slices.setCuts(searches.map(({ magnitude, above }) => cutAt("tensor", kept, magnitude!, above)));
    for (const slice of slicesOf(request, piece)) mergeSlice(slices, table, slice, arithmetic, output);
  }
}

/** The sha256 of a file's first bytes; of fewer if told to stop. */
export function hashBytes({ descriptor, bytes, shared }: { descriptor: number; bytes: number; shared: Int32Array }): string {
  const hash = createHash("sha256");
  const buffer = new Uint8Array(Math.min(HASH_BYTES, bytes));
  for (let done = 0; done < bytes && !Atomics.load(shared, SHARED.stop); done += HASH_BYTES) {
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

interface Slice {
  readonly stretch: number;
  readonly start: number;
  readonly length: number;
}

let kept: SliceMerges | undefined;

/** The thread's memory, which serves one call after another. */
function slicesFor({ sources, elements }: MergeTable): SliceMerges {
  const most = Math.min(SLICE_ELEMENTS, 8 * Math.ceil(Math.max(1, ...elements) / 8));
  if (kept?.models !== sources - 1 || kept.elements < most) kept = new SliceMerges(sources - 1, most);
  return kept;
}

function* takePieces({ pieces, shared }: PiecesRequest): Generator<number, void> {
  for (;;) {
    const piece = Atomics.add(shared, SHARED.next, 1);
    if (piece >= pieces.stretches.length) return;
    yield piece;
  }
}

/** @param weight Of what is done; 0 where the elements come again. */
function* slicesOf({ pieces, shared }: PiecesRequest, piece: number, weight = 1): Generator<Slice, void> {
  const [stretch, from, size] = [pieces.stretches[piece]!, pieces.starts[piece]!, pieces.lengths[piece]!];
  for (let done = 0; done < size; done += SLICE_ELEMENTS) {
    if (Atomics.load(shared, SHARED.stop)) return;
    yield { stretch, start: from + done, length: Math.min(SLICE_ELEMENTS, size - done) };
    if (weight) Atomics.add(shared, SHARED.done, 1);
  }
}

function mergeSlice(
  slices: SliceMerges,
  table: MergeTable,
  slice: Slice,
  arithmetic: Arithmetic,
  { descriptor, dtype }: Output,
): { balance: number; cancelled: number } {
  const { stretch, start, length } = slice;
  for (let source = arithmetic.kind === "average" ? 1 : 0; source < table.sources; source++) {
    readFloatsSync(placeOf(table, stretch, source), slices.slot(source, length), start);
  }
  let signs = { balance: 0, cancelled: 0 };
  if (arithmetic.kind === "average") slices.average(length);
  else if (arithmetic.kind === "task_arithmetic") slices.addTaskVectors(arithmetic.scaling, length);
  else signs = slices.mergeTrimmed(arithmetic.scaling, arithmetic.zeroPositive, arithmetic.mean, length);
  writeBytesSync(descriptor, convertFloats(dtype, slices.result(length)), table.targets[stretch]! + start * dtypeBytes(dtype));
  return signs;
}

function countSlice(
  slices: SliceMerges,
  table: MergeTable,
  { stretch, start, length }: Slice,
  windows: readonly MagnitudeWindow[],
  below: (number | null)[],
): void {
  for (let source = 0; source < table.sources; source++) {
    readFloatsSync(placeOf(table, stretch, source), slices.slot(source, length), start);
  }
  for (const [model, window] of windows.entries()) {
    const found = slices.count(model, window, length);
    below[model] = found === null || below[model] == null ? null : below[model] + found;
  }
}

/** Searches for the deciding magnitudes of a tensor, one a model, that begin where a sample says. */
function startSearches(table: MergeTable, tensor: number, elements: number, rank: number): RankSearch[] {
  const whole = elements <= SAMPLE_WHOLE;
  const only: MergeTable = { ...table, elements: table.elements.map((each, stretch) => (stretch === tensor ? each : 0)) };
  const runs = whole ? cutPieces(only, SAMPLE_WHOLE) : spreadPieces(only, Math.ceil(elements / (4 * SAMPLE_RUN)), SAMPLE_RUN);
  const parts = Array.from(runs.stretches, (_, run) => sample(table, runs, run));
  return Array.from({ length: table.sources - 1 }, (_, model) => {
    const values = join(parts.map((part) => part[model]!));
    return new RankSearch(elements, rank, whole ? exactWindow(values, rank) : guessWindow(values, rank / elements));
  });
}

function sample(table: MergeTable, { stretches, starts, lengths }: Pieces, piece: number): Float32Array[] {
  const read = (source: number): Float32Array => {
    const values = new Float32Array(lengths[piece]!);
    readFloatsSync(placeOf(table, stretches[piece]!, source), values, starts[piece]!);
    return values;
  };
  const origin = read(0);
  return Array.from({ length: table.sources - 1 }, (_, model) => {
    const values = read(1 + model);
    for (let i = 0; i < values.length; i++) values[i] = values[i]! - origin[i]!;
    return values;
  });
}

function join(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function writeBytesSync(descriptor: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length;) done += writeSync(descriptor, bytes, done, bytes.length - done, position + done);
}
