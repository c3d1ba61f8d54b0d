/** What the fixtures hold, as `fixtures/make.py` wrote it down. */
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Dtype, TensorValues } from "../../src/checkpoints";

export interface ExpectedTensor {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly values: readonly string[];
  readonly hex: string;
}

interface ExpectedFile {
  readonly file: string;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly tensors: readonly ExpectedTensor[];
}

export const FIXTURES = join(__dirname, "fixtures");

export const expected = JSON.parse(readFileSync(join(FIXTURES, "expected.json"), "utf8")) as {
  readonly files: readonly ExpectedFile[];
  readonly widening: Readonly<Record<string, string>>;
  readonly narrowing: Readonly<Record<string, string>>;
};

/** Numbers as Python prints them. */
export function parseValue(text: string): number {
  return text.endsWith("inf") ? Number(text.replace("inf", "Infinity")) : Number(text);
}

/** The expected values in the kind of array that `readValues()` gives. */
export function expectedValues({ dtype, values }: ExpectedTensor): TensorValues {
  if (dtype === "I64") return BigInt64Array.from(values, BigInt);
  if (dtype === "U64") return BigUint64Array.from(values, BigInt);
  if (dtype === "F64") return Float64Array.from(values, parseValue);
  if (dtype === "I32") return Int32Array.from(values, parseValue);
  if (dtype === "U32") return Uint32Array.from(values, parseValue);
  if (dtype === "I16") return Int16Array.from(values, parseValue);
  if (dtype === "U16") return Uint16Array.from(values, parseValue);
  if (dtype === "I8") return Int8Array.from(values, parseValue);
  if (dtype === "U8" || dtype === "BOOL") return Uint8Array.from(values, parseValue);
  return Float32Array.from(values, parseValue);
}

/** Calls with a temporary folder that is removed afterwards. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "damlab-checkpoints-"));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The bytes of a safetensors file with this header, as text, and this data. */
export function fileBytes(header: string | Uint8Array, data: Uint8Array = new Uint8Array(0)): Buffer {
  const text = Buffer.from(header as string);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, data]);
}
