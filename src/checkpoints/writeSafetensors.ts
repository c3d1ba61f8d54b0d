import type { FileHandle } from "node:fs/promises";
import { writeAll, writeStreamAtomic } from "./atomic";
import { dtypeBytes, dtypeRank, isFloating, type Dtype } from "./dtypes";
import { quote } from "./errors";
import { narrowToBfloat16, narrowToFloat16 } from "./floats";
import { requireLittleEndian, type TensorValues } from "./tensorSource";
import type { NamedTensors } from "./tensors";

/** The dtypes to which float32 values can be converted when they are written. */
export type WritableFloat = "F64" | "F32" | "F16" | "BF16";

/** Values in any form: all at once, on demand, or piece by piece. The memory may be reused as soon as the next piece is asked for. */
export type TensorContent = TensorValues | Promise<TensorValues> | AsyncIterable<TensorValues>;

/** A tensor to write. Shape and dtype are declared, so that the header can be written before any value is there. */
export interface WritableTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Default: the `dtype` of the options. */
  readonly dtype?: Dtype;
  /**
   * The values, row-major, or a function that produces them when their turn comes (file order: see `writeOrder()`). A Float32Array is
   * converted to a floating dtype; otherwise the array must be of the dtype's own kind, and a Uint8Array is taken as raw bytes.
   */
  readonly values: TensorValues | (() => TensorContent);
}

/** How to write a safetensors file. */
export interface WriteSafetensorsOptions {
  /** Text about the file; written with sorted keys. Default: none. */
  readonly metadata?: Readonly<Record<string, string>> | ReadonlyMap<string, string>;
  /** Dtype of tensors that declare none. Default: F32. */
  readonly dtype?: WritableFloat;
}

/** Small pieces are gathered up to this many bytes before they are written. */
const GATHER_BYTES = 1 << 20;
/** Elements that are converted at a time. */
const CONVERT_CHUNK = 1 << 20;
const NATIVE_KIND = {
  U64: BigUint64Array,
  I64: BigInt64Array,
  F64: Float64Array,
  F32: Float32Array,
  U32: Uint32Array,
  I32: Int32Array,
} as const;
const NARROW_KIND = { U16: Uint16Array, I16: Int16Array, I8: Int8Array, U8: Uint8Array, BOOL: Uint8Array } as const;
const KINDS: Readonly<Partial<Record<Dtype, { new (length: number): TensorValues }>>> = { ...NATIVE_KIND, ...NARROW_KIND };

/**
 * Writes a safetensors file atomically, streamed: one tensor is in memory at a time where `values` are functions.
 * The bytes equal those of the official Python library (version 0.8) for at most one metadata key; that library writes further keys in
 * random order, we sort them.
 * @throws {TypeError} if names repeat or are not Unicode text, or the values don't fit dtype and shape; no file is left then.
 */
export async function writeSafetensors(
  file: string,
  tensors: NamedTensors | Iterable<WritableTensor>,
  options: WriteSafetensorsOptions = {},
): Promise<void> {
  requireLittleEndian();
  const { metadata, dtype = "F32" } = options;
  const rows = writeOrder(isNamedTensors(tensors) ? listNamedTensors(tensors) : tensors, dtype);
  const header = formatHeader(rows, metadata);
  await writeStreamAtomic(file, async (handle) => {
    const sink = new Sink(handle);
    await sink.write(header);
    for (const row of rows) await writeTensor(sink, row);
    await sink.flush();
  });
}

/**
 * Makes a safetensors file whose values are written elsewhere, at their places and in any order. Atomic, and of the same bytes as
 * `writeSafetensors()`.
 * @param fill Writes every tensor: `positions` has the place of each one's first byte by name, `bytes` is the length of the whole file.
 */
export async function placeSafetensors(
  file: string,
  tensors: readonly Row[],
  { metadata }: Pick<WriteSafetensorsOptions, "metadata">,
  fill: (handle: FileHandle, positions: ReadonlyMap<string, number>, bytes: number) => Promise<void>,
): Promise<void> {
  requireLittleEndian();
  const header = formatHeader(tensors, metadata);
  const positions = new Map<string, number>();
  let bytes = header.length;
  for (const { name, dtype, shape } of tensors) {
    positions.set(name, bytes);
    bytes += countBytes(name, dtype, shape);
  }
  await writeStreamAtomic(file, async (handle) => {
    await writeAll(handle, header);
    await handle.truncate(bytes);
    await fill(handle, positions, bytes);
  });
}

/** The tensors with their dtypes, in the order in which they are written: by dtype as in the official library, then by name in UTF-8. */
export function writeOrder(tensors: Iterable<WritableTensor>, defaultDtype: WritableFloat = "F32"): Required<WritableTensor>[] {
  const rows = Array.from(tensors, (tensor) => ({ ...tensor, dtype: tensor.dtype ?? defaultDtype }));
  const keyed = rows.map((row) => ({ row, rank: dtypeRank(row.dtype), key: Buffer.from(row.name, "utf8") }));
  return keyed.sort((a, b) => a.rank - b.rank || Buffer.compare(a.key, b.key)).map(({ row }) => row);
}

function isNamedTensors(tensors: NamedTensors | Iterable<WritableTensor>): tensors is NamedTensors {
  return tensors instanceof Map;
}

function listNamedTensors(tensors: NamedTensors): WritableTensor[] {
  return Array.from(tensors, ([name, { shape, values }]) => ({ name, shape, values }));
}

type Row = Required<Pick<WritableTensor, "name" | "shape" | "dtype">>;

function formatHeader(rows: readonly Row[], metadata: WriteSafetensorsOptions["metadata"]): Buffer {
  const members: string[] = [];
  const seen = new Set(["__metadata__"]);
  if (metadata !== undefined && rows.length + metadataEntries(metadata).length > 0)
    members.push(`"__metadata__":${formatMetadata(metadata)}`);
  let offset = 0;
  for (const { name, shape, dtype } of rows) {
    requireText(name, "tensor name");
    if (seen.has(name)) throw new TypeError(`Cannot write tensor ${quote(name)}: expected a name of its own, it is taken`);
    seen.add(name);
    const bytes = countBytes(name, dtype, shape);
    members.push(`${JSON.stringify(name)}:{"dtype":"${dtype}","shape":[${shape.join(",")}],"data_offsets":[${offset},${offset + bytes}]}`);
    offset += bytes;
  }
  const json = Buffer.from(`{${members.join(",")}}`, "utf8");
  const padded = Buffer.alloc(8 + Math.ceil(json.length / 8) * 8, " ");
  padded.writeBigUInt64LE(BigInt(padded.length - 8));
  json.copy(padded, 8);
  return padded;
}

function metadataEntries(metadata: NonNullable<WriteSafetensorsOptions["metadata"]>): [string, string][] {
  return metadata instanceof Map ? Array.from(metadata as ReadonlyMap<string, string>) : Object.entries(metadata);
}

function formatMetadata(metadata: NonNullable<WriteSafetensorsOptions["metadata"]>): string {
  const entries = metadataEntries(metadata).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const members = entries.map(([key, value]) => {
    requireText(key, "metadata key");
    requireText(value, `metadata ${quote(key)}`);
    return `${JSON.stringify(key)}:${JSON.stringify(value)}`;
  });
  return `{${members.join(",")}}`;
}

function requireText(text: unknown, what: string): void {
  // A lone surrogate has no UTF-8 form.
  if (typeof text !== "string" || Buffer.from(text, "utf8").toString("utf8") !== text) {
    throw new TypeError(
      `Cannot write ${what}: expected well-formed Unicode text, got ${typeof text === "string" ? quote(text) : typeof text}`,
    );
  }
}

function countBytes(name: string, dtype: Dtype, shape: readonly number[]): number {
  const elements = shape.reduce((product, size) => product * size, 1);
  const valid = shape.every((size) => Number.isSafeInteger(size) && size >= 0) && Number.isSafeInteger(elements * dtypeBytes(dtype));
  if (!valid) throw new TypeError(`Cannot write tensor ${quote(name)}: expected sizes of non-negative integers, got [${shape.join(", ")}]`);
  return elements * dtypeBytes(dtype);
}

async function writeTensor(sink: Sink, { name, dtype, shape, values }: Required<WritableTensor>): Promise<void> {
  const expected = countBytes(name, dtype, shape);
  let written = 0;
  const content = await (typeof values === "function" ? values() : values);
  for await (const piece of Symbol.asyncIterator in content ? content : [content]) {
    for (const bytes of encode(name, dtype, piece)) {
      written += bytes.length;
      if (written > expected) break;
      await sink.write(bytes);
    }
  }
  if (written !== expected) {
    const got = written > expected ? "more" : String(written);
    throw new TypeError(
      `Cannot write tensor ${quote(name)}: expected ${expected} bytes for ${dtype} of shape [${shape.join(", ")}], got ${got}`,
    );
  }
}

function* encode(name: string, dtype: Dtype, values: TensorValues): Generator<Uint8Array> {
  const Kind = KINDS[dtype];
  if ((Kind !== undefined && values instanceof Kind) || values instanceof Uint8Array) {
    yield new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    return;
  }
  if (!(values instanceof Float32Array && isFloating(dtype) && !dtype.startsWith("F8"))) {
    throw new TypeError(
      `Cannot write tensor ${quote(name)}: expected ${dtype} or its raw bytes as a Uint8Array, got ${values?.constructor?.name}`,
    );
  }
  for (let start = 0; start < values.length; start += CONVERT_CHUNK) {
    const part = values.subarray(start, start + CONVERT_CHUNK);
    yield convertFloats(dtype as WritableFloat, part);
  }
}

/** The raw bytes of float32 values in a floating dtype; those of F32 are the values' own memory. */
export function convertFloats(dtype: WritableFloat, values: Float32Array): Uint8Array {
  if (dtype === "F32") return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const converted = dtype === "F64" ? Float64Array.from(values) : dtype === "F16" ? narrowToFloat16(values) : narrowToBfloat16(values);
  return new Uint8Array(converted.buffer);
}

/** Gathers small writes; large ones go straight through. */
class Sink {
  private readonly gathered = Buffer.alloc(GATHER_BYTES);
  private length = 0;

  constructor(private readonly handle: FileHandle) {}

  async write(bytes: Uint8Array): Promise<void> {
    if (this.length + bytes.length > GATHER_BYTES) await this.flush();
    if (bytes.length > GATHER_BYTES) return writeAll(this.handle, bytes);
    this.gathered.set(bytes, this.length);
    this.length += bytes.length;
  }

  async flush(): Promise<void> {
    await writeAll(this.handle, this.gathered.subarray(0, this.length));
    this.length = 0;
  }
}
