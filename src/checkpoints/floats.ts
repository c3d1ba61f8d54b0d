/**
 * @file Narrow floats <-> float32. Widening is exact; narrowing rounds to the nearest, ties to even, and overflows to infinity, as IEEE 754
 * hardware and PyTorch do. F8_E4M3 is the finite kind (no infinities, 0x7f is NaN), F8_E5M2 the IEEE kind.
 */
import type { Dtype } from "./dtypes";

/** The floating dtypes that are narrower than float32. */
export type NarrowDtype = Extract<Dtype, "F16" | "BF16" | "F8_E4M3" | "F8_E5M2">;

const tables = new Map<string, Float32Array>();

/**
 * Widens `target.length` narrow floats whose raw bytes lie at the end of the target's own memory, in place: element i is written to bytes
 * 4i to 4i + 3, which never reaches a raw element that was not yet read. So no second buffer is needed.
 */
export function widenInPlace(dtype: NarrowDtype, target: Float32Array): void {
  const { buffer, byteOffset, length } = target;
  if (dtype === "BF16") {
    const raw = new Uint16Array(buffer, byteOffset + 2 * length, length);
    const bits = new Uint32Array(buffer, byteOffset, length);
    for (let i = 0; i < length; i++) bits[i] = raw[i]! << 16;
    return;
  }
  const table = wideningTable(dtype);
  const raw =
    dtype === "F16" ? new Uint16Array(buffer, byteOffset + 2 * length, length) : new Uint8Array(buffer, byteOffset + 3 * length, length);
  for (let i = 0; i < length; i++) target[i] = table[raw[i]!]!;
}

/** Narrows float32 numbers to the bit patterns of BF16. */
export function narrowToBfloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const narrow = new Uint16Array(values.length);
  for (let i = 0; i < narrow.length; i++) {
    const b = bits[i]!;
    // A NaN stays one: its payload could otherwise be rounded into an infinity.
    narrow[i] = (b & 0x7fffffff) > 0x7f800000 ? (b >>> 16) | 0x40 : (b + 0x7fff + ((b >>> 16) & 1)) >>> 16;
  }
  return narrow;
}

/** Narrows float32 numbers to the bit patterns of F16. */
export function narrowToFloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const narrow = new Uint16Array(values.length);
  for (let i = 0; i < narrow.length; i++) narrow[i] = float16Bits(bits[i]!);
  return narrow;
}

function float16Bits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x3ff);
  // 65520, half way between the largest F16 and what would come next, and all above it.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    // Normal: rebias the exponent from 127 to 15; a carry out of the mantissa rightly goes into the exponent.
    return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  }
  // At most half of the smallest subnormal, 2^-24, rounds to zero.
  if (magnitude <= 0x33000000) return sign;
  const shift = 126 - (magnitude >>> 23);
  const mantissa = (magnitude & 0x7fffff) | 0x800000;
  const kept = mantissa >>> shift;
  const rest = mantissa & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return sign | (kept + (rest > half || (rest === half && (kept & 1) === 1) ? 1 : 0));
}

function wideningTable(dtype: Exclude<NarrowDtype, "BF16">): Float32Array {
  let table = tables.get(dtype);
  if (table === undefined) {
    table = dtype === "F16" ? makeTable(5, 10, 15, true) : dtype === "F8_E5M2" ? makeTable(5, 2, 15, true) : makeTable(4, 3, 7, false);
    tables.set(dtype, table);
  }
  return table;
}

/** All values of a small float format by bit pattern. */
function makeTable(exponentBits: number, mantissaBits: number, bias: number, hasInfinity: boolean): Float32Array {
  const magnitudes = 2 ** (exponentBits + mantissaBits);
  const topExponent = 2 ** exponentBits - 1;
  const topMantissa = 2 ** mantissaBits - 1;
  const table = new Float32Array(2 * magnitudes);
  for (let pattern = 0; pattern < magnitudes; pattern++) {
    const exponent = pattern >> mantissaBits;
    const mantissa = pattern & topMantissa;
    let value = exponent === 0 ? mantissa * 2 ** (1 - bias - mantissaBits) : (1 + mantissa / (topMantissa + 1)) * 2 ** (exponent - bias);
    if (hasInfinity && exponent === topExponent) value = mantissa === 0 ? Infinity : NaN;
    if (!hasInfinity && pattern === magnitudes - 1) value = NaN;
    table[pattern] = value;
    table[pattern + magnitudes] = -value;
  }
  return table;
}
