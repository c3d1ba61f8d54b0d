import { endianness } from "node:os";
import { dtypeBytes, isFloating, type Dtype } from "./dtypes";
import { quote } from "./errors";
import { widenInPlace, type NarrowDtype } from "./floats";
import type { TensorEntry } from "./header";
import type { HostTensor } from "./tensors";

/** A tensor's numbers: narrow floats are widened to float32, 64-bit integers are exact, truth values are bytes. */
export type TensorValues =
  | Float64Array
  | Float32Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

const VALUE_ARRAYS = {
  U64: BigUint64Array,
  I64: BigInt64Array,
  F64: Float64Array,
  U32: Uint32Array,
  I32: Int32Array,
  U16: Uint16Array,
  I16: Int16Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const;

/** Elements of float64 that are converted at a time. */
const FLOAT64_CHUNK = 1 << 16;

/** Raw bytes in an open file, for those who read it themselves. */
export interface TensorPlace {
  /** Good until the source is closed. */
  readonly descriptor: number;
  readonly position: number;
  readonly dtype: Dtype;
}

/** Named tensors on disk, read when asked for. Reads are positioned, so that any number of them may be under way at once. */
export abstract class TensorSource {
  /** What was opened, as the caller gave it. */
  abstract readonly path: string;
  abstract readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** Text that the file carries about itself. */
  abstract readonly metadata: ReadonlyMap<string, string>;

  /** Releases the files; no read works afterwards. Calling it twice does no harm. */
  abstract close(): Promise<void>;

  /**
   * Where a tensor's raw bytes lie.
   * @throws {RangeError} if there is none of that name.
   */
  abstract place(name: string): TensorPlace;

  /** Fills the target with raw bytes of a tensor, from its byte `start` on. */
  protected abstract fill(entry: TensorEntry, target: Uint8Array, start: number): Promise<void>;

  /**
   * Where a tensor lies.
   * @throws {RangeError} if there is none of that name.
   */
  entry(name: string): TensorEntry {
    const entry = this.tensors.get(name);
    if (entry === undefined) throw new RangeError(`Cannot find tensor ${quote(name)} in ${quote(this.path, Infinity)}`);
    return entry;
  }

  /**
   * Reads raw bytes of a tensor into memory that the caller keeps.
   * @param start First byte, counted in the tensor; `count` bytes are read into the beginning of the target. Default: all.
   */
  async readBytesInto(name: string, target: Uint8Array, start = 0, count?: number): Promise<void> {
    const entry = this.entry(name);
    const length = checkRange(entry, entry.bytes, target.length, start, count);
    await this.fill(entry, target.subarray(0, length), start);
  }

  /** The raw bytes of a tensor. */
  async readBytes(name: string): Promise<Uint8Array> {
    const entry = this.entry(name);
    const bytes = new Uint8Array(entry.bytes);
    await this.fill(entry, bytes, 0);
    return bytes;
  }

  /**
   * Reads elements of a floating tensor as float32 into memory that the caller keeps; float32 bytes go straight into the target.
   * Float64 is rounded, the narrower dtypes are exact.
   * @param start First element, row-major; `count` elements are read into the beginning of the target. Default: all.
   * @throws {TypeError} if the tensor is not floating.
   * @throws {RangeError} if the range leaves the tensor or the target is too small.
   */
  async readFloat32Into(name: string, target: Float32Array, start = 0, count?: number): Promise<void> {
    const entry = this.entry(name);
    const { dtype } = entry;
    if (!isFloating(dtype)) throw new TypeError(`Cannot read tensor ${quote(name)} as float32: expected a floating dtype, got ${dtype}`);
    const length = checkRange(entry, entry.elements, target.length, start, count);
    const part = target.subarray(0, length);
    if (dtype === "F64") return this.readFloat64As32(entry, part, start);
    const size = dtypeBytes(dtype);
    // Narrow elements are read into the end of the target's own memory and widened from its beginning.
    await this.fill(entry, new Uint8Array(part.buffer, part.byteOffset + (4 - size) * length, size * length), start * size);
    if (dtype !== "F32") widenInPlace(dtype as NarrowDtype, part);
  }

  /** A floating tensor as float32. */
  async readFloat32(name: string): Promise<HostTensor> {
    const { shape, elements } = this.entry(name);
    const values = new Float32Array(elements);
    await this.readFloat32Into(name, values);
    return { shape, values };
  }

  /**
   * Elements of a tensor, each exactly: 64-bit integers as BigInts, F64 as doubles, narrower floats widened to float32.
   * @param start First element; `count` elements are read. Default: all.
   */
  async readValues(name: string, start = 0, count?: number): Promise<TensorValues> {
    const entry = this.entry(name);
    const length = checkRange(entry, entry.elements, Infinity, start, count);
    if (entry.dtype !== "F64" && isFloating(entry.dtype)) {
      const values = new Float32Array(length);
      await this.readFloat32Into(name, values, start, length);
      return values;
    }
    const values = new VALUE_ARRAYS[entry.dtype as keyof typeof VALUE_ARRAYS](length);
    await this.fill(entry, new Uint8Array(values.buffer), start * dtypeBytes(entry.dtype));
    return values;
  }

  private async readFloat64As32(entry: TensorEntry, target: Float32Array, start: number): Promise<void> {
    const scratch = new Float64Array(Math.min(target.length, FLOAT64_CHUNK));
    for (let done = 0; done < target.length;) {
      const piece = scratch.subarray(0, Math.min(target.length - done, FLOAT64_CHUNK));
      await this.fill(entry, new Uint8Array(piece.buffer, 0, piece.byteLength), (start + done) * 8);
      target.set(piece, done);
      done += piece.length;
    }
  }
}

/** Values of raw bytes that lie aligned in memory; narrow floats are widened into new memory. */
export function valuesOfBytes(dtype: Dtype, bytes: Uint8Array): TensorValues {
  const { buffer, byteOffset, length } = bytes;
  if (dtype === "F32") return new Float32Array(buffer, byteOffset, length / 4);
  const size = dtypeBytes(dtype);
  if (dtype in VALUE_ARRAYS) return new VALUE_ARRAYS[dtype as keyof typeof VALUE_ARRAYS](buffer as ArrayBuffer, byteOffset, length / size);
  const values = new Float32Array(length / size);
  new Uint8Array(values.buffer).set(bytes, (4 - size) * values.length);
  widenInPlace(dtype as NarrowDtype, values);
  return values;
}

/** @throws {Error} on a machine that keeps the high byte first: the format is little-endian, and typed arrays are the machine's. */
export function requireLittleEndian(): void {
  if (endianness() !== "LE") throw new Error("Cannot read or write safetensors on this machine: expected a little-endian processor");
}

function checkRange(entry: TensorEntry, size: number, room: number, start: number, count = size - start): number {
  const fits = Number.isSafeInteger(start) && Number.isSafeInteger(count) && start >= 0 && count >= 0 && start + count <= size;
  if (!fits) throw new RangeError(`Cannot read tensor ${quote(entry.name)}: expected a range within ${size}, got ${count} from ${start}`);
  if (count > room) throw new RangeError(`Cannot read tensor ${quote(entry.name)}: expected a target for ${count}, got one for ${room}`);
  return count;
}
