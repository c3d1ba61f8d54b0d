import { createHash } from "node:crypto";

/**
 * JSON whose bytes depend on the value alone: keys sorted by code unit, no white space, as in RFC 8785 (whose numbers are JavaScript's own).
 * Properties that are undefined are left out, as in JSON.
 * @throws {TypeError} for what JSON can't say: functions, symbols, 64-bit integers, NaN and infinities; names the place.
 */
export function canonicalJson(value: unknown): string {
  return write(value, "");
}

/** Lower-case hexadecimal SHA-256. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function write(value: unknown, place: string): string {
  if (value === null || typeof value === "boolean" || typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number" && Number.isFinite(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item, index) => write(item, `${place}[${index}]`)).join(",")}]`;
  if (typeof value === "object") {
    const record = value as Record<string, unknown>;
    const keys = Object.keys(record).filter((key) => record[key] !== undefined);
    return `{${keys
      .sort()
      .map((key) => `${JSON.stringify(key)}:${write(record[key], `${place}.${key}`)}`)
      .join(",")}}`;
  }
  throw new TypeError(`Cannot write JSON of "${place.replace(/^\./, "") || "value"}": expected plain data, got ${describe(value)}`);
}

function describe(value: unknown): string {
  return typeof value === "number" ? String(value) : typeof value;
}
