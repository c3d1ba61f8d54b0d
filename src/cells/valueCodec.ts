/**
 * @file Values of cells as a JSON tree beside a table of arrays, and back.
 *
 * A value is plain data (null, truth values, numbers, text, arrays, plain objects), maps with text keys, typed arrays, and any mix of them;
 * so named tensors are a value. In the tree an array is `{"$array": NAME}` and a tensor `{"$tensor": NAME}`, whose shape, dtype and bytes the
 * table holds; a map is `{"$map": [[key, value], …]}`, a number that JSON lacks `{"$number": "NaN"}`, and an object with a key that
 * starts with `$` `{"$object": [[key, value], …]}`.
 */
import type { Dtype, TensorValues } from "../checkpoints";
import { sha256 } from "./canonicalJson";

/** One typed array as it lies in a file. */
export interface StoredArray {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly values: TensorValues;
}

/** An encoded value. */
export interface EncodedValue {
  /** Plain JSON data. */
  readonly tree: unknown;
  readonly arrays: ReadonlyMap<string, StoredArray>;
}

const ARRAY_TYPES = {
  F64: Float64Array,
  F32: Float32Array,
  I32: Int32Array,
  U32: Uint32Array,
  I16: Int16Array,
  U16: Uint16Array,
  I8: Int8Array,
  U8: Uint8Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
} as const;

/**
 * Takes a value apart. Nothing is copied: the arrays are the value's own.
 * @throws {TypeError} for what can't be stored (functions, class instances, 64-bit integers outside arrays); names the place.
 */
export function encodeValue(value: unknown): EncodedValue {
  const arrays = new Map<string, StoredArray>();
  const store = (place: string, shape: readonly number[], array: TensorValues): string => {
    let name = place || "value";
    while (arrays.has(name)) name += "'";
    arrays.set(name, { dtype: dtypeOf(array), shape: [...shape], values: array });
    return name;
  };
  const encode = (item: unknown, place: string): unknown => {
    if (item === null || typeof item === "boolean" || typeof item === "string") return item;
    if (typeof item === "number")
      return Number.isFinite(item) && !Object.is(item, -0) ? item : { $number: Object.is(item, -0) ? "-0" : String(item) };
    if (isTypedArray(item)) return { $array: store(place, [item.length], item) };
    const below = (key: string): string => (place === "" ? key : `${place}/${key}`);
    if (Array.isArray(item)) return item.map((element, index) => encode(element, below(String(index))));
    if (item instanceof Map) return { $map: [...item].map(([key, element]) => [textKey(key, place), encode(element, below(String(key)))]) };
    if (isPlainObject(item)) {
      if (isTensor(item)) return { $tensor: store(place, item.shape, item.values) };
      const entries = Object.entries(item)
        .filter(([, element]) => element !== undefined)
        .map(([key, element]) => [key, encode(element, below(key))] as const);
      return entries.some(([key]) => key.startsWith("$") || key === "__proto__") ? { $object: entries } : Object.fromEntries(entries);
    }
    throw new TypeError(`Cannot store "${place || "value"}": expected plain data, maps or typed arrays, got ${typeName(item)}`);
  };
  return { tree: encode(value, ""), arrays };
}

/**
 * Puts a value together again.
 * @param arrays The table; its arrays become the value's own.
 * @throws {TypeError} if the tree names an array that the table lacks.
 */
export function decodeValue(tree: unknown, arrays: ReadonlyMap<string, StoredArray>): unknown {
  const stored = (name: unknown): StoredArray => {
    const array = arrays.get(String(name));
    if (array === undefined) throw new TypeError(`Cannot restore array "${String(name)}": it is not in the table`);
    return array;
  };
  const decode = (item: unknown): unknown => {
    if (typeof item !== "object" || item === null) return item;
    if (Array.isArray(item)) return item.map(decode);
    const [[key, inner] = ["", undefined]] = Object.entries(item);
    if (key === "$number") return Number(inner);
    if (key === "$array") return stored(inner).values;
    if (key === "$tensor") return { shape: [...stored(inner).shape], values: stored(inner).values };
    if (key === "$map") return new Map((inner as [string, unknown][]).map(([name, element]) => [name, decode(element)]));
    if (key === "$object") return Object.fromEntries((inner as [string, unknown][]).map(([name, element]) => [name, decode(element)]));
    return Object.fromEntries(Object.entries(item).map(([name, element]) => [name, decode(element)]));
  };
  return decode(tree);
}

/** SHA-256 of what a value is: its tree, order of keys included, and dtype, shape and bytes of its arrays. */
export function contentHash({ tree, arrays }: EncodedValue): string {
  return sha256(JSON.stringify([tree, hashArrays(arrays)]));
}

/** By name: dtype, shape and SHA-256 of the bytes. */
export function hashArrays(
  arrays: ReadonlyMap<string, StoredArray>,
): Record<string, { dtype: string; shape: readonly number[]; sha256: string }> {
  return Object.fromEntries(
    [...arrays].map(([name, { dtype, shape, values }]) => {
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      return [name, { dtype, shape, sha256: sha256(bytes) }];
    }),
  );
}

function dtypeOf(array: TensorValues): Dtype {
  return (Object.keys(ARRAY_TYPES) as (keyof typeof ARRAY_TYPES)[]).find((dtype) => array instanceof ARRAY_TYPES[dtype])!;
}

function isTypedArray(value: unknown): value is TensorValues {
  return Object.values(ARRAY_TYPES).some((type) => value instanceof type);
}

/** Whether a value is an object without a class. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // Objects of another realm (a notebook's) have another Object.prototype, which is again at the end of the chain.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function isTensor(value: Record<string, unknown>): value is { shape: number[]; values: TensorValues } {
  const { shape, values } = value;
  if (Object.keys(value).length !== 2 || !Array.isArray(shape) || !isTypedArray(values)) return false;
  return (
    shape.every((size) => Number.isInteger(size)) && shape.reduce((product: number, size: number) => product * size, 1) === values.length
  );
}

function textKey(key: unknown, place: string): string {
  if (typeof key === "string") return key;
  throw new TypeError(`Cannot store "${place || "value"}": expected text as keys of a map, got ${typeName(key)}`);
}

function typeName(value: unknown): string {
  if (typeof value !== "object" || value === null) return typeof value;
  return `an object of class ${(Object.getPrototypeOf(value) as { constructor?: { name?: string } })?.constructor?.name ?? "unknown"}`;
}
