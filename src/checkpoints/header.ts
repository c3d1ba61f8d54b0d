import { DTYPE_NAMES, dtypeBytes, isDtype, type Dtype } from "./dtypes";
import { quote, SafetensorsError } from "./errors";
import { JsonReader } from "./strictJson";

/** Where one tensor lies in its file. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: Dtype;
  /** Row-major; empty for a scalar. */
  readonly shape: readonly number[];
  /** Product of the shape. */
  readonly elements: number;
  /** Length of the raw bytes. */
  readonly bytes: number;
  /** Position of the first byte in the file. */
  readonly position: number;
  /** Path of the file that holds it. */
  readonly file: string;
}

/** A header that was checked against the length of its file. */
export interface SafetensorsHeader {
  /** By name, in the order in which they lie in the file. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly metadata: ReadonlyMap<string, string>;
}

interface Draft {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * Parses and checks the JSON header of a safetensors file. Stricter than the official library, which accepts duplicate tensor names, unknown
 * keys and leading white space.
 * @param text The header without its length.
 * @param dataStart Position of the first byte after the header.
 * @param fileBytes Length of the whole file.
 * @throws {SafetensorsError} naming the file and, where there is one, the tensor.
 */
export function parseHeader(text: string, file: string, dataStart: number, fileBytes: number): SafetensorsHeader {
  if (!text.startsWith("{")) {
    throw new SafetensorsError(
      file,
      `expected a JSON header that starts with "{", got ${text === "" ? "nothing" : quote(text.slice(0, 16))}`,
    );
  }
  const drafts: Draft[] = [];
  const metadata = new Map<string, string>();
  readEntries(text, file, drafts, metadata);
  drafts.sort((a, b) => a.begin - b.begin || a.end - b.end);
  return { tensors: placeTensors(drafts, file, dataStart, fileBytes), metadata };
}

function readEntries(text: string, file: string, drafts: Draft[], metadata: Map<string, string>): void {
  const reader = new JsonReader(text);
  const names = new Set<string>();
  let current: string | undefined;
  try {
    reader.object((name) => {
      current = name;
      if (names.has(name)) reader.fail("expected each name once, it comes twice");
      names.add(name);
      if (name === "__metadata__") readMetadata(reader, metadata);
      else drafts.push(readDraft(reader, name));
      current = undefined;
    });
    reader.end();
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new SafetensorsError(file, `invalid header: ${error.message}`, current);
  }
}

function readMetadata(reader: JsonReader, metadata: Map<string, string>): void {
  reader.object((key) => {
    if (metadata.has(key)) reader.fail(`expected each metadata key once, ${quote(key)} comes twice`);
    if (!reader.sees('"')) reader.fail(`expected a string as metadata ${quote(key)}`);
    metadata.set(key, reader.string());
  });
}

function readDraft(reader: JsonReader, name: string): Draft {
  let dtype: Dtype | undefined;
  let shape: number[] | undefined;
  let begin = -1;
  let end = -1;
  reader.object((key) => {
    if (key === "dtype" && dtype === undefined) dtype = readDtype(reader);
    else if (key === "shape" && shape === undefined) shape = readShape(reader);
    else if (key === "data_offsets" && begin < 0) {
      if (!reader.take("[")) reader.fail("expected an array as data_offsets");
      begin = reader.integer();
      reader.expect(",");
      end = reader.integer();
      reader.expect("]");
    } else reader.fail(`expected only dtype, shape and data_offsets, each once, found key ${quote(key)}`);
  });
  if (dtype === undefined || shape === undefined || begin < 0) reader.fail("expected dtype, shape and data_offsets before");
  return { name, dtype, shape, begin, end };
}

function readDtype(reader: JsonReader): Dtype {
  if (!reader.sees('"')) reader.fail("expected a string as dtype");
  const dtype = reader.string();
  if (!isDtype(dtype)) throw new SyntaxError(`unsupported dtype: expected one of ${DTYPE_NAMES.join(" ")}, got ${quote(dtype, 40)}`);
  return dtype;
}

function readShape(reader: JsonReader): number[] {
  const shape: number[] = [];
  if (!reader.sees("[")) reader.fail("expected an array as shape");
  reader.array(() => shape.push(reader.integer()));
  return shape;
}

function placeTensors(drafts: readonly Draft[], file: string, dataStart: number, fileBytes: number): ReadonlyMap<string, TensorEntry> {
  const tensors = new Map<string, TensorEntry>();
  const dataBytes = fileBytes - dataStart;
  let covered = 0;
  let last = "";
  for (const { name, dtype, shape, begin, end } of drafts) {
    const problem = (text: string): SafetensorsError => new SafetensorsError(file, text, name);
    if (end < begin) throw problem(`expected data_offsets in ascending order, got [${begin}, ${end}]`);
    if (end > dataBytes) throw problem(`expected data within the file's ${dataBytes} bytes of data, got data_offsets [${begin}, ${end}]`);
    if (begin < covered)
      throw problem(`expected no overlap with ${quote(last)}, which ends at ${covered}, got data_offsets [${begin}, ${end}]`);
    if (begin > covered) throw problem(`expected no hole after byte ${covered} of the data, got data_offsets [${begin}, ${end}]`);
    const elements = countElements(shape);
    const bytes = elements * dtypeBytes(dtype);
    if (!Number.isSafeInteger(bytes)) throw problem(`expected a size below 2^53 bytes, got ${dtype} of shape ${shapeText(shape)}`);
    if (bytes !== end - begin) throw problem(`expected ${bytes} bytes for ${dtype} of shape ${shapeText(shape)}, got ${end - begin}`);
    tensors.set(name, { name, dtype, shape, elements, bytes, position: dataStart + begin, file });
    covered = end;
    last = name;
  }
  if (covered !== dataBytes) throw new SafetensorsError(file, `expected ${covered} bytes of data as in the header, got ${dataBytes}`);
  return tensors;
}

/** Product of the shape; NaN where any partial product passes 2^53, as the official library refuses such shapes even with a 0 further on. */
function countElements(shape: readonly number[]): number {
  let elements = 1;
  for (const size of shape) {
    elements *= size;
    if (elements > Number.MAX_SAFE_INTEGER) return NaN;
  }
  return elements;
}

function shapeText(shape: readonly number[]): string {
  return shape.length > 16 ? `[${shape.slice(0, 16).join(", ")}, …] of ${shape.length} sizes` : JSON.stringify(shape).replaceAll(",", ", ");
}
