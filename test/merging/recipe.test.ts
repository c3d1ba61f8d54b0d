import assert from "node:assert/strict";
import * as path from "node:path";
import { z } from "zod";
import { average, dataFreeMethods, findMethod, methodTable, parseRecipe, type TestTimeMethod } from "../../src/merging";

const lines = (...text: string[]): string => text.join("\n");
const minimal = ["base: base", "models: [one, two]", "method: ties"];
const parse = (...text: string[]) => parseRecipe(lines(...text), "/lab/r.yaml");

describe("parseRecipe()", () => {
  it("parseRecipe() resolves paths from the recipe's folder and fills in defaults", () => {
    const recipe = parse("base: ../base", "models: [one, /two]", "method: ties", "options: {density: 0.1}");
    assert.deepEqual(
      { ...recipe, method: recipe.method.name },
      {
        base: path.resolve("/base"),
        models: [path.resolve("/lab/one"), path.resolve("/two")],
        method: "ties",
        options: { scaling: 0.3, density: 0.1, trim: "global", aggregate: "sum" },
        dtype: "float32",
        merge: undefined,
        tasks: undefined,
        suite: undefined,
        seed: undefined,
        adaptOn: undefined,
      },
    );
  });

  const failures: [what: string, text: string[], error: new (text: string) => Error, message: string][] = [
    ["an unknown key", [...minimal, "modles: []"], TypeError, 'unknown key "modles", did you mean "models"?'],
    ["an unknown option", [...minimal, "options: {scalling: 1}"], TypeError, 'unknown key "options.scalling", did you mean "scaling"?'],
    [
      "an option of another method",
      [...minimal.slice(0, 2), "method: average", "options: {scaling: 1}"],
      TypeError,
      'unknown key "options.scaling", expected no keys here',
    ],
    ["an unknown method", [...minimal.slice(0, 2), "method: tie"], RangeError, 'key "method", "tie": no such method, did you mean "ties"?'],
    ["a missing key", minimal.slice(1), TypeError, 'expected "base" to be text, got nothing'],
    ["no models", ["base: b", "models: []", "method: ties"], RangeError, 'expected "models" to be a list of at least 1, got []'],
    ["a wrong entry", ["base: b", "models: [a, 3]", "method: ties"], TypeError, 'expected "models.1" to be text, got 3'],
    ["a wrong dtype", [...minimal, "dtype: float8"], RangeError, 'expected "dtype" to be one of float32, float16, bfloat16, got "float8"'],
    ["a wrong range", [...minimal, "options: {density: 0}"], RangeError, 'expected "options.density" to be more than 0, got 0'],
    ["too few tasks", [...minimal, "tasks: [dtd]"], RangeError, 'expected "tasks" to name one task for each of the 2 models, got 1'],
    [
      "a suite",
      [...minimal, "suite: desk"],
      TypeError,
      'expected no "suite" with method "ties", which looks at no images and draws nothing, got desk',
    ],
    ["a list", ["- 1"], TypeError, "expected keys with values (base, models, method, …), got [1]"],
    ["nothing", [""], TypeError, "expected keys with values (base, models, method, …), got nothing"],
  ];
  for (const [what, text, ErrorType, message] of failures) {
    it(`parseRecipe() refuses ${what} by name`, () => {
      assert.throws(() => parse(...text), new ErrorType(`Cannot read recipe "/lab/r.yaml": ${message}`));
    });
  }

  it("parseRecipe() names the line of broken YAML", () => {
    assert.throws(() => parse("base: b", "models: [a"), {
      name: "SyntaxError",
      message: /^Cannot read recipe "\/lab\/r.yaml": line \d+: /,
    });
    assert.throws(() => parse("base: b", "base: c"), { name: "SyntaxError", message: /line 2: Map keys must be unique/ });
  });

  it("parseRecipe() takes methods of later rooms, with suite and seed", () => {
    const adaptive: TestTimeMethod<{ steps: number }> = {
      kind: "test-time",
      name: "adaptive",
      title: "Adaptive",
      reference: "none",
      options: z.strictObject({ steps: z.int().default(10) }),
      defaults: { steps: 10 },
      texts: { steps: "steps" },
      merge: async () => undefined,
    };
    const table = methodTable([...dataFreeMethods.values(), adaptive]);
    const text = lines("base: b", "models: [a]", "method: adaptive", "suite: desk", "seed: 3", "tasks: [dtd]");
    const { method, options, suite, seed, tasks } = parseRecipe(text, "r.yaml", table);
    assert.deepEqual([method, options, suite, seed, tasks], [adaptive, { steps: 10 }, "desk", 3, ["dtd"]]);
  });
});

describe("methodTable()", () => {
  it("methodTable() holds complete rows whose defaults are those of their schemas", () => {
    for (const [name, row] of dataFreeMethods) {
      assert.equal(name, row.name);
      assert.ok(row.title !== "" && /arXiv:\d{4}\.\d{5}/.test(row.reference), name);
      assert.deepEqual(row.options.parse({}), row.defaults);
    }
    assert.deepEqual([...dataFreeMethods.keys()], ["average", "task_arithmetic", "ties"]);
  });

  it("methodTable() refuses a name twice", () => {
    assert.throws(() => methodTable([average, average]), /Cannot add merging method "average": expected a new name/);
  });
});

describe("findMethod()", () => {
  it("findMethod() lists the methods where none is near", () => {
    assert.throws(
      () => findMethod("zzz"),
      new RangeError('Cannot merge by "zzz": no such method, expected one of average, task_arithmetic, ties'),
    );
  });
});
