/** What the functions of mergeThread.ts have in common: taking pieces, reading slices, computing on them, and writing them. */
import { writeSync } from "node:fs";
import { dtypeBytes } from "../../checkpoints/dtypes";
import { readFloatsSync } from "../../checkpoints/readFloats";
import { convertFloats, type WritableFloat } from "../../checkpoints/writeSafetensors";
import { SliceMerges, type Cut, type MagnitudeWindow } from "../../engine/simd/merges";
import { placeOf, type MergeTable, type Pieces } from "./mergeTable";

/** Elements that are in memory of each model at a time: all of them stay in the processor's cache. */
export const SLICE_ELEMENTS = 2 ** 15;

/** What all threads share: the next piece, whether to stop, and elements done. */
export const SHARED = { next: 0, stop: 1, done: 2, length: 3 } as const;

/** What every function gets. */
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

/** What is in memory at a time. */
export interface Slice {
  readonly stretch: number;
  readonly start: number;
  readonly length: number;
}

let kept: SliceMerges | undefined;

/** The thread's memory, which serves one call after another. */
export function slicesFor({ sources, elements }: MergeTable): SliceMerges {
  const most = Math.min(SLICE_ELEMENTS, 8 * Math.ceil(Math.max(1, ...elements) / 8));
  if (kept?.models !== sources - 1 || kept.elements < most) kept = new SliceMerges(sources - 1, most);
  return kept;
}

/** The pieces that fall to this thread. */
export function* takePieces({ pieces, shared }: PiecesRequest): Generator<number, void> {
  for (;;) {
    const piece = Atomics.add(shared, SHARED.next, 1);
    if (piece >= pieces.stretches.length) return;
    yield piece;
  }
}

/**
 * The slices of a piece.
 * @param weight 0 where they come again later, so that progress counts them once.
 */
export function* slicesOf({ pieces, shared }: PiecesRequest, piece: number, weight = 1): Generator<Slice, void> {
  const [stretch, from, size] = [pieces.stretches[piece]!, pieces.starts[piece]!, pieces.lengths[piece]!];
  for (let done = 0; done < size; done += SLICE_ELEMENTS) {
    if (Atomics.load(shared, SHARED.stop)) return;
    yield { stretch, start: from + done, length: Math.min(SLICE_ELEMENTS, size - done) };
    if (weight) Atomics.add(shared, SHARED.done, 1);
  }
}

/** Reads, merges and writes a slice; gives what Ties found out about signs. */
export function mergeSlice(
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

/** Reads a slice and adds what lies below each model's window to `below`; null where there is a NaN or an infinity. */
export function countSlice(
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
    const before = below[model] ?? null;
    const found = slices.count(model, window, length);
    below[model] = found === null || before === null ? null : before + found;
  }
}

/** The task vectors of a piece, one a model. */
export function sample(table: MergeTable, { stretches, starts, lengths }: Pieces, piece: number): Float32Array[] {
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

/** One array of all. */
export function join(parts: readonly Float32Array[]): Float32Array {
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
