type Fields = Readonly<Record<string, unknown>>;

/** The values of a MIME bundle as JSON can carry them: bytes of a picture as base64, numbers of a figure as an array. */
export function mimeValues(bundle: object): Fields {
  const entries = Object.entries(bundle).map(([type, value]) => {
    const isBytes = value instanceof Uint8Array && !type.endsWith("json");
    return [type, isBytes ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64") : plain(value)];
  });
  return Object.fromEntries(entries) as Fields;
}

/** Deeper than this, a value is none of the formats of Jupyter; it may hold itself. */
const DEPTH = 100;

/** A copy in which typed arrays are arrays and big integers are numbers. */
function plain(value: unknown, depth = 0): unknown {
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "object" || value === null || depth > DEPTH) return value;
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return Array.from(value as Float32Array, (item) => plain(item));
  if (typeof (value as { toJSON?: unknown }).toJSON === "function") return value;
  // Most are long lists of numbers or texts.
  if (Array.isArray(value))
    return value.some((item) => typeof item === "object" || typeof item === "bigint") ? value.map((item) => plain(item, depth + 1)) : value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item, depth + 1)]));
}
