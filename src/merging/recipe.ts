import * as path from "node:path";
import { LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import type { MergingMethod } from "./method";
import { checkValue, dataFreeMethods, findMethod, parseOptions, type MethodTable } from "./methods";
import type { MergeScope } from "./scope";
import { rejectUnknownKeys } from "./unknownKey";

/** Dtype of the merged floating tensors. */
export type MergedDtype = "float32" | "float16" | "bfloat16";

/** A checked merge recipe; paths are absolute. */
export interface MergeRecipe {
  /** θ₀: a Hugging Face folder or a `.safetensors` file. */
  readonly base: string;
  /** θ_t, at least one. */
  readonly models: readonly string[];
  readonly method: MergingMethod;
  /** Complete options of the method. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Default float32. */
  readonly dtype: MergedDtype;
  /** Default: `all` if the base is a file, `vision` if it is a folder. */
  readonly merge: MergeScope | undefined;
  /** The task of each model; default: what the models' own records say. */
  readonly tasks: readonly string[] | undefined;
  /** Of test-time methods only: `desk`, or the folder of another zoo of the same tasks. */
  readonly suite: string | undefined;
  /** Of test-time methods only; default 0. */
  readonly seed: number | undefined;
  /** Of test-time methods only: the split whose images, without labels, are adapted on; default `adapt`. */
  readonly adaptOn: "adapt" | "test" | undefined;
}

const recipeShape = {
  base: z.string().min(1),
  models: z.array(z.string().min(1)).min(1),
  method: z.string(),
  options: z.record(z.string(), z.unknown()).nullish(),
  dtype: z.enum(["float32", "float16", "bfloat16"]).default("float32"),
  merge: z.enum(["vision", "all"]).optional(),
  tasks: z.array(z.string().min(1)).optional(),
  suite: z.string().optional(),
  seed: z.int().min(0).optional(),
  adaptOn: z.enum(["adapt", "test"]).optional(),
};

/**
 * Parses and checks a merge recipe.
 * @param text YAML (JSON is YAML too).
 * @param file Path of the recipe: relative paths in it start from its folder, and messages name it.
 * @param methods Table to look the method up in.
 * @throws {SyntaxError} if the text is no YAML, {TypeError} for an unknown key (naming the nearest known one) or a value of the wrong type,
 * {RangeError} for a value out of range. Every message names the key.
 */
export function parseRecipe(text: string, file: string, methods: MethodTable = dataFreeMethods): MergeRecipe {
  const action = `Cannot read recipe ${JSON.stringify(file)}`;
  const raw = parseYaml(text, action);
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) {
    throw new TypeError(
      `${action}: expected keys with values (base, models, method, …), got ${raw === null ? "nothing" : JSON.stringify(raw)}`,
    );
  }
  rejectUnknownKeys(raw, Object.keys(recipeShape), action);
  const {
    method: name,
    base,
    models,
    options,
    dtype,
    merge,
    tasks,
    suite,
    seed,
    adaptOn,
  } = checkValue(z.strictObject(recipeShape), raw, action, "");
  const method = tryNaming(action, () => findMethod(name, methods));
  if (method.kind === "data-free") rejectTestTimeKeys({ suite, seed, adaptOn }, name, action);
  else if (suite === undefined) {
    throw new TypeError(`${action}: expected a "suite" (such as desk) with method "${name}", which adapts on its images, got nothing`);
  } else if (merge === "all") {
    throw new RangeError(`${action}: expected "merge" to be vision with method "${name}", which runs the vision tower, got all`);
  }
  if (tasks !== undefined && tasks.length !== models.length) {
    throw new RangeError(`${action}: expected "tasks" to name one task for each of the ${models.length} models, got ${tasks.length}`);
  }
  const fromHere = (place: string): string => path.resolve(path.dirname(file), place);
  return {
    base: fromHere(base),
    models: models.map(fromHere),
    method,
    options: parseOptions(method, options ?? {}, action) as Record<string, unknown>,
    dtype,
    merge: method.kind === "test-time" ? "vision" : merge,
    tasks,
    suite: suite === undefined || suite === "desk" ? suite : fromHere(suite),
    seed: method.kind === "test-time" ? (seed ?? 0) : undefined,
    adaptOn: method.kind === "test-time" ? (adaptOn ?? "adapt") : undefined,
  };
}

function rejectTestTimeKeys(keys: Readonly<Record<string, unknown>>, method: string, action: string): void {
  for (const [key, value] of Object.entries(keys)) {
    if (value === undefined) continue;
    throw new TypeError(
      `${action}: expected no "${key}" with method "${method}", which looks at no images and draws nothing, got ${value}`,
    );
  }
}

function parseYaml(text: string, action: string): unknown {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const problem = document.errors[0];
  if (problem !== undefined) throw new SyntaxError(`${action}: line ${lines.linePos(problem.pos[0]).line}: ${problem.message}`);
  try {
    return document.toJS() as unknown;
  } catch (error) {
    throw new SyntaxError(`${action}: ${(error as Error).message}`);
  }
}

function tryNaming<Value>(action: string, find: () => Value): Value {
  try {
    return find();
  } catch (error) {
    throw new RangeError(`${action}: ${(error as Error).message.replace(/^Cannot merge by /, 'key "method", ')}`);
  }
}
