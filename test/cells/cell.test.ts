import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { inspect } from "node:util";
import { z } from "zod";
import { configureCells, defineCell, provenanceOf, ResultCache } from "../../src/cells";
import { displaySymbol, type Displayable } from "../../src/display/mime";
import { silentProgress } from "../../src/display/progress";
import type { NamedTensors } from "../../src/checkpoints";

describe("defineCell()", () => {
  let folder: string;
  let runs: string[];

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "damlab-cells-"));
    runs = [];
    configureCells({ cache: new ResultCache(folder), progress: silentProgress });
  });
  afterEach(() => rm(folder, { recursive: true }));

  const numbers = defineCell({
    name: "numbers",
    version: 1,
    summary: "The numbers from 0 on",
    inputs: [],
    engine: false,
    parameters: z.object({ count: z.number().int().min(1).default(3).describe("how many"), seed: z.number().int().default(0) }),
    run(_: [], { count }) {
      runs.push(`numbers ${count}`);
      return {
        tensors: new Map([["x", { shape: [count], values: Float32Array.from({ length: count }, (_, index) => index) }]]) as NamedTensors,
      };
    },
  });
  const scaled = defineCell({
    name: "scaled",
    version: 1,
    summary: "Numbers times a factor",
    inputs: ["numbers"],
    engine: false,
    parameters: z.object({ factor: z.number().describe("what to multiply with"), mode: z.enum(["plain", "fancy"]).default("plain") }),
    run([{ tensors }]: [{ tensors: NamedTensors }], { factor }) {
      runs.push(`scaled ${factor}`);
      return { sum: tensors.get("x")!.values.reduce((sum, value) => sum + value, 0) * factor };
    },
    display: ({ sum }) => ({ "text/html": `<b>${sum}</b>` }),
  });

  it("cell() computes once and then reads what it kept", async () => {
    const first = await numbers({ count: 4 });
    const again = await numbers({ count: 4 });
    assert.deepEqual(runs, ["numbers 4"]);
    assert.notEqual(again, first);
    assert.deepEqual(again, first);
    assert.deepEqual([...again.tensors.get("x")!.values], [0, 1, 2, 3]);
  });

  it("cell() recomputes only what depends on a changed parameter", async () => {
    const chain = async (count: number, factor: number): Promise<number> => (await scaled(await numbers({ count }), { factor })).sum;
    assert.deepEqual([await chain(3, 2), await chain(3, 10), await chain(4, 10), await chain(3, 2)], [6, 30, 60, 6]);
    assert.deepEqual(runs, ["numbers 3", "scaled 2", "scaled 10", "numbers 4", "scaled 10"]);
  });

  it("cell() gives provenance whose inputs are keys", async () => {
    const input = await numbers({ count: 2 });
    const { provenance } = await scaled(input, { factor: 3 });
    const { key, damlab, ...rest } = provenance;
    assert.match(key, /^[0-9a-f]{64}$/);
    assert.match(damlab, /^\d+\.\d+\.\d+/);
    assert.deepEqual(rest, {
      cell: "scaled",
      version: "1",
      parameters: { factor: 3, mode: "plain" },
      seed: null,
      inputs: { numbers: `numbers@${input.provenance.key}` },
      files: {},
      engine: null,
    });
    assert.equal(input.provenance.seed, 0);
    assert.equal(provenanceOf(input), input.provenance);
    assert.equal((await scaled.trace(input, { factor: 3 })).key, key);
  });

  it("cell() keys a changed copy of a result by its content", async () => {
    const input = await numbers({ count: 3 });
    const changed = { ...input, tensors: new Map([["x", { shape: [1], values: Float32Array.of(5) }]]) };
    assert.equal((await scaled(input, { factor: 1 })).sum, 3);
    assert.equal((await scaled(changed, { factor: 1 })).sum, 5);
  });

  it("cell() takes plain values as inputs, equal content as equal", async () => {
    const tensors = (value: number): { tensors: NamedTensors } => ({
      tensors: new Map([["x", { shape: [1], values: Float32Array.of(value) }]]),
    });
    await scaled(tensors(1), { factor: 1 });
    await scaled(tensors(1), { factor: 1 });
    await scaled(tensors(2), { factor: 1 });
    assert.equal(runs.length, 2);
  });

  it("cell() computes calls of one key that overlap only once", async () => {
    const results = await Promise.all([numbers({ count: 5 }), numbers({ count: 5 }), numbers({ count: 6 })]);
    assert.deepEqual(runs.sort(), ["numbers 5", "numbers 6"]);
    assert.equal(results[0], results[1]);
  });

  it("cell() results are frozen plain data", async () => {
    const result = await numbers();
    assert.equal(Reflect.set(result, "tensors", 1), false);
    assert.equal(Reflect.set(result.provenance.parameters, "count", 9), false);
    assert.deepEqual(Object.keys(result), ["tensors", "provenance"]);
  });

  it("cell() is typed by its inputs and parameters", () => {
    const calls = [
      // @ts-expect-error: the parameter is misspelt.
      () => numbers({ cuont: 2 }),
      // @ts-expect-error: the parameter is of another type.
      () => numbers({ count: "2" }),
      // @ts-expect-error: the input is missing.
      () => scaled(),
      // @ts-expect-error: the input is a promise.
      () => scaled(numbers(), { factor: 1 }),
      // @ts-expect-error: a parameter without a default is missing.
      async () => scaled(await numbers()),
    ];
    assert.equal(calls.length, 5);
  });

  it("cell() rejects an unknown parameter and names the nearest known one", async () => {
    const message = 'Cannot run cell "numbers" with parameter "cuont": expected one of count, seed (did you mean "count"?)';
    await assert.rejects(untyped(numbers)({ cuont: 2 }), new RangeError(message));
    await assert.rejects(untyped(numbers)({ loops: 2 }), /expected one of count, seed$/);
  });

  it("cell() rejects values that don't fit, in one line", async () => {
    const input = await numbers();
    const run = untyped(scaled);
    await assert.rejects(run(input), new TypeError('Cannot run cell "scaled" with parameter "factor": expected number, got nothing'));
    await assert.rejects(run(input, { factor: 1, mode: "odd" }), /with parameter "mode": .*"plain"\|"fancy".*, got "odd"$/);
    await assert.rejects(numbers({ count: 0 }), /with parameter "count": .*>=1.*, got 0$/);
    const message = 'Cannot run cell "scaled": expected 1 input (numbers) and at most one object of parameters, got 0 arguments';
    await assert.rejects(run(), new TypeError(message));
    const promised = numbers();
    await assert.rejects(run(promised, { factor: 1 }), /got a promise; await it first$/);
    await promised; // else it may still be at work in the folder that is removed next
    assert.deepEqual(runs, ["numbers 3"]);
  });

  it("help() shows inputs, parameters, defaults and meaning", async () => {
    const help = scaled.help();
    assert.deepEqual(help.inputs, ["numbers"]);
    assert.deepEqual(help.parameters, [
      { name: "factor", type: "number", default: null, description: "what to multiply with" },
      { name: "mode", type: '"plain" | "fancy"', default: '"plain"', description: "" },
    ]);
    const bundle = await help[displaySymbol]();
    assert.match(
      bundle["text/plain"],
      /scaled\(numbers, parameters\) {2}version 1\nNumbers times a factor\n {2}factor {2}number +required {2}what to multiply with/,
    );
    assert.match(String(bundle["text/html"]), /<td[^>]*>&quot;plain&quot; \| &quot;fancy&quot;<\/td>/);
  });

  it("results show themselves, always with text", async () => {
    const result = await scaled(await numbers(), { factor: 2 });
    const bundle = await (result as unknown as Displayable)[displaySymbol]();
    assert.deepEqual(Object.keys(bundle).sort(), ["text/html", "text/plain"]);
    assert.equal(bundle["text/html"], "<b>6</b>");
    assert.match(bundle["text/plain"], /^scaled\(factor: 2, mode: "plain"\) → sum {2}\[[0-9a-f]{12}\]$/);
    assert.equal(inspect(result), bundle["text/plain"]);
  });

  it("with() changes the settings of one cell alone", async () => {
    const uncached = numbers.with({ cache: null });
    await uncached();
    await uncached();
    assert.equal(runs.length, 2);
    assert.deepEqual(await readdir(folder), []);
  });

  it("cell() without a version is recomputed when its source changes", async () => {
    const make = (run: () => { value: number }) =>
      defineCell({ name: "draft", summary: "", inputs: [], engine: false, parameters: z.object({}), run });
    assert.equal((await make(() => ({ value: 1 }))()).value, 1);
    assert.equal((await make(() => ({ value: 2 }))()).value, 2);
  });

  it("cell() is recomputed when a file that it reads changes", async () => {
    let hash = "a";
    const reader = defineCell({
      name: "reader",
      version: 1,
      summary: "",
      inputs: [],
      engine: false,
      parameters: z.object({}),
      files: () => ({ "model.safetensors": hash }),
      run: () => ({ read: hash }),
    });
    assert.equal((await reader()).read, "a");
    hash = "b";
    const result = await reader();
    assert.equal(result.read, "b");
    assert.deepEqual(result.provenance.files, { "model.safetensors": "b" });
  });

  it("cell() that computes tensors has the engine in its key", async () => {
    const tensor = defineCell({ name: "tensor", version: 1, summary: "", inputs: [], parameters: z.object({}), run: () => ({ value: 1 }) });
    const { provenance } = await tensor();
    assert.match(provenance.engine!.name, /^(gpu|native|wasm|cpu)$/);
  });

  it("cell() does not keep a failure", async () => {
    let fails = true;
    const flaky = defineCell({
      name: "flaky",
      version: 1,
      summary: "",
      inputs: [],
      engine: false,
      parameters: z.object({}),
      run() {
        if (fails) throw new RangeError("Cannot do it");
        return { done: true };
      },
    });
    await assert.rejects(flaky(), new RangeError("Cannot do it"));
    fails = false;
    assert.equal((await flaky()).done, true);
  });

  it("cell() rejects results that can't be kept and names the place", async () => {
    const odd = defineCell({
      name: "odd",
      version: 1,
      summary: "",
      inputs: [],
      engine: false,
      parameters: z.object({}),
      run: () => ({ inner: { when: () => 1 } }),
    });
    await assert.rejects(odd(), new TypeError('Cannot store "inner/when": expected plain data, maps or typed arrays, got function'));
  });
});

function untyped(cell: unknown): (...given: unknown[]) => Promise<unknown> {
  return cell as (...given: unknown[]) => Promise<unknown>;
}
