import type { z } from "zod";
import { average } from "./average";
import type { MergingMethod } from "./method";
import { taskArithmetic } from "./taskArithmetic";
import { ties } from "./ties";
import { rejectUnknownKeys, suggestName } from "./unknownKey";

/** Merging methods by name. */
export type MethodTable = ReadonlyMap<string, MergingMethod>;

/** The methods that look at parameters only: weight average, Task Arithmetic, Ties-Merging. */
export const dataFreeMethods: MethodTable = methodTable([average, taskArithmetic, ties]);

/**
 * A table of methods, for example the data-free ones and those of a later room: `methodTable([...dataFreeMethods.values(), dam])`.
 * @throws {TypeError} if two rows have one name.
 */
export function methodTable(rows: Iterable<MergingMethod>): MethodTable {
  const table = new Map<string, MergingMethod>();
  for (const row of rows) {
    if (table.has(row.name))
      throw new TypeError(`Cannot add merging method "${row.name}": expected a new name, got one that the table has`);
    table.set(row.name, row);
  }
  return table;
}

/**
 * The row of that name.
 * @throws {RangeError} naming the nearest known method.
 */
export function findMethod(name: string, table: MethodTable = dataFreeMethods): MergingMethod {
  const row = table.get(name);
  if (row === undefined) throw new RangeError(`Cannot merge by "${name}": no such method, ${suggestName(name, [...table.keys()])}`);
  return row;
}

/**
 * Checks a method's options and fills in its defaults.
 * @param value What the user gave; undefined for all defaults.
 * @param action Beginning of messages.
 * @throws {TypeError} for an unknown key (naming the nearest) or a value of the wrong type, {RangeError} for one out of range.
 */
export function parseOptions<Options extends object>(
  method: { readonly name: string; readonly options: z.ZodType<Options>; readonly defaults: object },
  value: unknown,
  action = `Cannot merge by "${method.name}"`,
): Options {
  const given = value ?? {};
  if (typeof given === "object" && !Array.isArray(given)) {
    rejectUnknownKeys(given, Object.keys(method.defaults), action, "options.");
  }
  return checkValue(method.options, given, action, "options");
}

/**
 * Parses a value by its schema; the first problem becomes a message of the house's form.
 * @param path Name of the value itself; keys inside it are appended with dots.
 */
export function checkValue<Value>(schema: z.ZodType<Value>, value: unknown, action: string, path: string): Value {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const keys = [path, ...issue.path.map(String)].filter((part) => part !== "");
  const got = issue.path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key], value);
  const ErrorType = ["too_small", "too_big", "invalid_value"].includes(issue.code) ? RangeError : TypeError;
  throw new ErrorType(`${action}: expected "${keys.join(".")}" to be ${expectation(issue)}, got ${show(got)}`);
}

function expectation(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return (
        { number: "a number", string: "text", array: "a list", object: "keys with values", int: "an integer", boolean: "true or false" }[
          issue.expected as string
        ] ?? issue.expected
      );
    case "invalid_value":
      return issue.values.length === 1 ? String(issue.values[0]) : `one of ${issue.values.join(", ")}`;
    case "too_small":
      return issue.origin === "array"
        ? `a list of at least ${issue.minimum}`
        : `${issue.inclusive ? "at least" : "more than"} ${issue.minimum}`;
    case "too_big":
      return `${issue.inclusive ? "at most" : "less than"} ${issue.maximum}`;
    default:
      return issue.message;
  }
}

function show(value: unknown): string {
  if (value === undefined) return "nothing";
  return typeof value === "string" ? JSON.stringify(value) : (JSON.stringify(value) ?? String(value));
}
