import { open, stat, type FileHandle } from "node:fs/promises";
import { quote, SafetensorsError } from "./errors";
import { parseHeader, type SafetensorsHeader, type TensorEntry } from "./header";
import { requireLittleEndian, TensorSource, type TensorPlace } from "./tensorSource";

/**
 * Longest header that is read, in bytes: some 90,000 tensors, as many as the largest models have in all their shards. The official library allows
 * 100,000,000, which takes seconds and gigabytes to parse; no writer makes such headers, so a longer one is an attack or an accident.
 */
export const MAX_HEADER_BYTES = 10_000_000;

/** One system call reads at most 2 GiB; smaller pieces also let other work in between. */
const READ_CHUNK = 2 ** 28;

/** Open safetensors files that together hold named tensors: one file, or the shards of one checkpoint. Close it when done. */
export class SafetensorsFiles extends TensorSource {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly metadata: ReadonlyMap<string, string>;
  private readonly handles: ReadonlyMap<string, FileHandle>;

  /** @param handles One open handle for each file of the entries. */
  constructor(path: string, header: SafetensorsHeader, handles: ReadonlyMap<string, FileHandle>) {
    super();
    this.path = path;
    this.tensors = header.tensors;
    this.metadata = header.metadata;
    this.handles = handles;
  }

  async close(): Promise<void> {
    for (const handle of this.handles.values()) await handle.close();
  }

  place(name: string): TensorPlace {
    const entry = this.entry(name);
    return { descriptor: this.openHandle(entry).fd, position: entry.position, dtype: entry.dtype };
  }

  protected async fill(entry: TensorEntry, target: Uint8Array, start: number): Promise<void> {
    const done = await readFully(this.openHandle(entry), target, entry.position + start);
    if (done < target.length) {
      throw new SafetensorsError(
        entry.file,
        `expected ${target.length} bytes, got ${done}; the file has shrunk since it was opened`,
        entry.name,
      );
    }
  }

  private openHandle(entry: TensorEntry): FileHandle {
    const handle = this.handles.get(entry.file)!;
    if (handle.fd >= 0) return handle;
    throw new Error(`Cannot read tensor ${quote(entry.name)} of ${quote(this.path, Infinity)}: expected an open file, it was closed`);
  }
}

/**
 * Opens one safetensors file: reads and checks its header, and no tensor.
 * @throws {SafetensorsError} if the file is malformed.
 * @throws the file system's error if it can't be opened.
 */
export async function openSafetensors(file: string): Promise<SafetensorsFiles> {
  const { handle, header } = await openFile(file);
  return new SafetensorsFiles(file, header, new Map([[file, handle]]));
}

/** Opens and checks one file; the caller owns the handle. */
export async function openFile(file: string): Promise<{ handle: FileHandle; header: SafetensorsHeader }> {
  requireLittleEndian();
  // Asked before opening, because opening a pipe would wait for its writer.
  if (!(await stat(file)).isFile()) throw new SafetensorsError(file, "expected a regular file, got a folder, pipe or device");
  const handle = await open(file, "r");
  try {
    return { handle, header: await readHeader(handle, file) };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function readHeader(handle: FileHandle, file: string): Promise<SafetensorsHeader> {
  const fileBytes = (await handle.stat()).size;
  const prefix = Buffer.alloc(8);
  const got = await readFully(handle, prefix, 0);
  if (got < 8) throw new SafetensorsError(file, `expected 8 bytes that tell the header's length, got a file of ${got}`);
  const headerBytes = prefix.readBigUInt64LE();
  if (headerBytes > BigInt(MAX_HEADER_BYTES)) {
    throw new SafetensorsError(
      file,
      `expected a header of at most ${MAX_HEADER_BYTES} bytes (longer ones are attacks), got ${headerBytes}`,
    );
  }
  const length = Number(headerBytes);
  if (length > fileBytes - 8)
    throw new SafetensorsError(file, `expected a header of ${length} bytes, got a file with ${fileBytes - 8} bytes after its length`);
  const bytes = Buffer.alloc(length);
  const read = await readFully(handle, bytes, 8);
  if (read < length) throw new SafetensorsError(file, `expected a header of ${length} bytes, got ${read}`);
  return parseHeader(decodeUtf8(bytes, file), file, 8 + length, fileBytes);
}

/** @throws {SafetensorsError} if the bytes are not UTF-8; a byte order mark is kept, so that the parser refuses it. */
export function decodeUtf8(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new SafetensorsError(file, "expected a header in UTF-8, got other bytes");
  }
}

/** Reads until the target is full or the file ends; returns the bytes read. */
async function readFully(handle: FileHandle, target: Uint8Array, position: number): Promise<number> {
  let done = 0;
  while (done < target.length) {
    const { bytesRead } = await handle.read(target, done, Math.min(target.length - done, READ_CHUNK), position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}
