import { readSync } from "node:fs";
import { dtypeBytes } from "./dtypes";
import { widenInPlace, type NarrowDtype } from "./floats";
import type { TensorPlace } from "./tensorSource";

/** Bytes of float64 that are converted at a time. */
const FLOAT64_BYTES = 2 ** 19;

/**
 * Reads elements of a floating tensor as float32, in the calling thread, into memory that the caller keeps; see `TensorSource.readFloat32Into()`.
 * @param start First element; as many as the target holds are read.
 * @throws {RangeError} if the file ends before.
 */
export function readFloatsSync({ descriptor, position, dtype }: TensorPlace, target: Float32Array, start: number): void {
  const size = dtypeBytes(dtype);
  const { buffer, byteOffset, length } = target;
  if (dtype !== "F64") {
    // Narrow elements are read into the end of the target's own memory and widened from its beginning.
    readBytesSync(descriptor, new Uint8Array(buffer, byteOffset + (4 - size) * length, size * length), position + start * size);
    if (dtype !== "F32") widenInPlace(dtype as NarrowDtype, target);
    return;
  }
  const scratch = new Float64Array(Math.min(length, FLOAT64_BYTES / 8));
  for (let done = 0; done < length; done += scratch.length) {
    const piece = scratch.subarray(0, Math.min(scratch.length, length - done));
    readBytesSync(descriptor, new Uint8Array(piece.buffer, 0, piece.byteLength), position + (start + done) * 8);
    target.set(piece, done);
  }
}

/** Fills the target from the file. @throws {RangeError} if the file ends before. */
export function readBytesSync(descriptor: number, target: Uint8Array, position: number): void {
  for (let done = 0; done < target.length;) {
    const read = readSync(descriptor, target, done, target.length - done, position + done);
    if (read === 0) throw new RangeError(`expected ${target.length} bytes, got ${done}; the file has shrunk since it was opened`);
    done += read;
  }
}
