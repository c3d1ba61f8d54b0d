import { canonicalJson, sha256 } from "./canonicalJson";
import { contentHash, encodeValue, isPlainObject } from "./valueCodec";

/** Where a result comes from. Plain data without dates, so that the same run gives the same bytes. */
export interface Provenance {
  readonly cell: string;
  readonly version: string;
  /** All parameters, defaults filled in. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** The parameter `seed`; null where the cell has none. */
  readonly seed: number | null;
  /** By name of the input: `CELL@KEY` of a cell's result, a short plain value itself, else `sha256:…` of its content. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** SHA-256 of the files that the cell reads, by a name that does not depend on the machine. */
  readonly files: Readonly<Record<string, string>>;
  /** Engine that computed; null where no tensor is computed. */
  readonly engine: { readonly name: string; readonly version: string | null } | null;
  /** Version of damlab. */
  readonly damlab: string;
  /** Content key: SHA-256 of the canonical JSON of all of the above. Equal keys mean equal results. */
  readonly key: string;
}

/** Provenance by the identity of a result: a copy that a user has changed is not the result any more. */
const known = new WeakMap<object, Provenance>();

/** Provenance with its content key. */
export function withKey(provenance: Omit<Provenance, "key">): Provenance {
  return deepFreeze({ ...provenance, key: sha256(canonicalJson(provenance)) });
}

/** Marks a value as a cell's result. */
export function rememberProvenance(result: object, provenance: Provenance): void {
  known.set(result, provenance);
}

/** Where a value comes from; undefined unless it is a cell's result, untouched. */
export function provenanceOf(value: unknown): Provenance | undefined {
  return typeof value === "object" && value !== null ? known.get(value) : undefined;
}

/**
 * What stands for an input in a key: the key of a cell's result, else the content.
 * @throws {TypeError} if the content can't be hashed (functions, class instances); names the place.
 */
export function identifyInput(value: unknown): unknown {
  const provenance = provenanceOf(value);
  if (provenance !== undefined) return `${provenance.cell}@${provenance.key}`;
  if (holdsResults(value)) {
    return Array.isArray(value)
      ? value.map(identifyInput)
      : Object.fromEntries(Object.entries(value).map(([name, item]) => [name, identifyInput(item)]));
  }
  if (value === null || typeof value === "number" || typeof value === "boolean") return value;
  if (typeof value === "string" && value.length <= 200) return value;
  return `sha256:${contentHash(encodeValue(value))}`;
}

/** Whether a list or a record has cells' results among its items, or in lists or records among them. */
function holdsResults(value: unknown): value is object {
  if (provenanceOf(value) !== undefined) return true;
  return (Array.isArray(value) || isPlainObject(value)) && Object.values(value).some(holdsResults);
}

/** Freezes plain data all the way down (typed arrays, maps and class instances stay as they are), so that a result is what its key says. */
export function deepFreeze<T>(value: T): T {
  if (!(Array.isArray(value) || isPlainObject(value)) || Object.isFrozen(value)) return value;
  Object.freeze(value);
  // Getters are left alone: what they compute may be dear.
  for (const { value: inner } of Object.values(Object.getOwnPropertyDescriptors(value))) deepFreeze(inner);
  return value;
}
