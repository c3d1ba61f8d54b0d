/** What a dtype's elements are: floating numbers, integers that fit a double, 64-bit integers, or truth values. */
export type DtypeKind = "float" | "integer" | "bigint" | "bool";

interface DtypeRow {
  readonly bytes: number;
  readonly kind: DtypeKind;
}

/**
 * The supported dtypes, in the order in which the official library writes tensors: by descending alignment, with its own choice inside one
 * size. Bytes are those of one element.
 */
export const DTYPES = {
  U64: { bytes: 8, kind: "bigint" },
  I64: { bytes: 8, kind: "bigint" },
  F64: { bytes: 8, kind: "float" },
  F32: { bytes: 4, kind: "float" },
  U32: { bytes: 4, kind: "integer" },
  I32: { bytes: 4, kind: "integer" },
  BF16: { bytes: 2, kind: "float" },
  F16: { bytes: 2, kind: "float" },
  U16: { bytes: 2, kind: "integer" },
  I16: { bytes: 2, kind: "integer" },
  F8_E4M3: { bytes: 1, kind: "float" },
  F8_E5M2: { bytes: 1, kind: "float" },
  I8: { bytes: 1, kind: "integer" },
  U8: { bytes: 1, kind: "integer" },
  BOOL: { bytes: 1, kind: "bool" },
} as const satisfies Record<string, DtypeRow>;

/** A dtype of the safetensors format. */
export type Dtype = keyof typeof DTYPES;

/** All dtypes, in writing order. */
export const DTYPE_NAMES = Object.keys(DTYPES) as readonly Dtype[];

const RANKS = new Map(DTYPE_NAMES.map((dtype, rank) => [dtype, rank]));

/** Whether the text is the name of a supported dtype. */
export function isDtype(text: string): text is Dtype {
  return RANKS.has(text as Dtype);
}

/** Bytes of one element. */
export function dtypeBytes(dtype: Dtype): number {
  return DTYPES[dtype].bytes;
}

/** Whether the dtype holds floating-point numbers. */
export function isFloating(dtype: Dtype): boolean {
  return DTYPES[dtype].kind === "float";
}

/** Place of the dtype in a file: tensors are written by ascending rank, then by name. */
export function dtypeRank(dtype: Dtype): number {
  return RANKS.get(dtype)!;
}
