import { closest, distance } from "fastest-levenshtein";

/**
 * Says what a wrong name may have been meant as.
 * @param known At least one name.
 * @returns `did you mean "…"?` for a near name, else `expected one of …`.
 */
export function suggestName(name: string, known: readonly string[]): string {
  const nearest = closest(name.toLowerCase(), known);
  const near = distance(name.toLowerCase(), nearest) <= 1 + Math.max(name.length, nearest.length) / 3;
  return near ? `did you mean "${nearest}"?` : `expected one of ${known.join(", ")}`;
}

/**
 * Checks an object's keys before its values.
 * @param action Beginning of the message, such as `Cannot read recipe "r.yaml"`.
 * @param path Where the object stands (`options.`), put before the key; empty at the top.
 * @throws {TypeError} naming the first unknown key and the nearest known one.
 */
export function rejectUnknownKeys(value: object, known: readonly string[], action: string, path = ""): void {
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    const remedy = known.length === 0 ? "expected no keys here" : suggestName(key, known);
    throw new TypeError(`${action}: unknown key "${path}${key}", ${remedy}`);
  }
}
