import { closest, distance } from "fastest-levenshtein";
import { z } from "zod";

/** One declared parameter, as `help()` shows it. */
export interface ParameterHelp {
  readonly name: string;
  /** Such as "number", "boolean", or the values that are allowed. */
  readonly type: string;
  /** JSON of the default; null where the parameter must be given. */
  readonly default: string | null;
  readonly description: string;
}

/**
 * Checks given parameters against the declared ones and fills in defaults.
 * @param cell Name of the cell, for messages.
 * @throws {RangeError} for an unknown parameter; names the nearest known one.
 * @throws {TypeError} for a value that does not fit; says what was expected.
 */
export function validateParameters<Schema extends z.ZodObject>(cell: string, schema: Schema, given: unknown): z.output<Schema> {
  const parsed = schema.strict().safeParse(given ?? {});
  if (parsed.success) return parsed.data as z.output<Schema>;
  const issue = parsed.error.issues[0]!;
  const place = issue.path.map(String).join(".");
  if (issue.code === "unrecognized_keys") {
    const shape = issue.path.length === 0 ? Object.keys(schema.shape) : [];
    throw new RangeError(unknownKey(cell, place === "" ? issue.keys[0]! : `${place}.${issue.keys[0]!}`, shape));
  }
  const value = issue.path.reduce<unknown>((item, key) => (item as Record<PropertyKey, unknown> | undefined)?.[key], given);
  const expectation = issue.message.replace(/^Invalid input: /, "").replace(/, received .*$/, "");
  const subject = place === "" ? "" : ` with parameter "${place}"`;
  throw new TypeError(`Cannot run cell "${cell}"${subject}: ${lowerFirst(expectation)}, got ${shown(value)}`);
}

/** The declared parameters of a cell. */
export function describeParameters(schema: z.ZodObject): ParameterHelp[] {
  const json = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema;
  return Object.entries(json.properties ?? {}).map(([name, property]) => ({
    name,
    type: typeText(property),
    default: property.default === undefined ? (json.required?.includes(name) === true ? null : "none") : JSON.stringify(property.default),
    description: property.description ?? "",
  }));
}

interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly required?: readonly string[];
  readonly default?: unknown;
  readonly description?: string;
}

function typeText(property: JsonSchema): string {
  if (property.enum !== undefined) return property.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (property.const !== undefined) return JSON.stringify(property.const);
  if (property.anyOf !== undefined) return [...new Set(property.anyOf.map(typeText))].join(" | ");
  if (property.type === "array") return `${typeText(property.items ?? {})}[]`;
  if (property.type === "object" && typeof property.additionalProperties === "object")
    return `{ name: ${typeText(property.additionalProperties)} }`;
  return property.type === undefined ? "any" : [property.type].flat().join(" | ");
}

function unknownKey(cell: string, key: string, known: readonly string[]): string {
  const nearest = known.length === 0 ? undefined : closest(key, known);
  const hint = nearest !== undefined && distance(key, nearest) <= 1 + key.length / 3 ? ` (did you mean "${nearest}"?)` : "";
  const expected = known.length === 0 ? "no such parameter" : `expected one of ${known.join(", ")}`;
  return `Cannot run cell "${cell}" with parameter "${key}": ${expected}${hint}`;
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}

function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = typeof value === "function" ? "a function" : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
