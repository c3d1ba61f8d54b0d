import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { z } from "zod";
import { configureCells, defineCell, ResultCache } from "../../src/cells";
import { silentProgress } from "../../src/display/progress";

const KEY = "0".repeat(64);
const address = { kind: "results", cell: "make", key: KEY } as const;

describe("ResultCache", () => {
  let folder: string;
  let cache: ResultCache;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "damlab-cache-"));
    cache = new ResultCache(folder);
  });
  afterEach(() => rm(folder, { recursive: true }));

  const value = {
    list: [1, null, -0, NaN],
    tensors: new Map([["w", { shape: [2, 1], values: Float32Array.of(0.1, -3) }]]),
    ids: BigInt64Array.of(2n ** 60n),
  };

  it("load() gives back what save() took", async () => {
    await cache.save(address, value);
    assert.deepEqual(await cache.load(address), value);
    assert.equal(await cache.load({ ...address, cell: "other" }), undefined);
  });

  it("load() gives back keys in their order", async () => {
    await cache.save(address, { b: { z: 1, a: 2 }, a: 3 });
    assert.equal(JSON.stringify(await cache.load(address)), '{"b":{"z":1,"a":2},"a":3}');
  });

  it("save() keeps tensors as safetensors with their names and shapes", async () => {
    await cache.save(address, value);
    const file = (await readdir(path.join(folder, "results", "make"))).find((name) => name.endsWith(".safetensors"))!;
    assert.match(
      (await readFile(path.join(folder, "results", "make", file))).toString("latin1"),
      /"tensors\/w":\{"dtype":"F32","shape":\[2,1\]/,
    );
  });

  it("save() leaves one file of arrays when a value is replaced", async () => {
    await cache.save(address, value);
    await cache.save(address, { other: Float32Array.of(1) });
    assert.equal((await readdir(path.join(folder, "results", "make"))).length, 2);
    assert.deepEqual(await cache.load(address), { other: Float32Array.of(1) });
  });

  for (const [what, damage] of [
    ["JSON is cut short", (file: string) => truncate(file, 100)],
    ["JSON has a changed number", async (file: string) => writeFile(file, (await readFile(file, "utf8")).replace("[1,null", "[2,null"))],
    ["JSON is empty", (file: string) => writeFile(file, "")],
    ["JSON is something else", (file: string) => writeFile(file, "{}")],
    ["arrays have a changed byte", (file: string) => changeLastByte(file.replace(/\.json$/, ""))],
    ["arrays are gone", async (file: string) => rm(await arraysOf(file.replace(/\.json$/, "")))],
    ["arrays are cut short", async (file: string) => truncate(await arraysOf(file.replace(/\.json$/, "")), 60)],
  ] as const) {
    it(`load() detects and removes a value whose ${what}`, async () => {
      await cache.save(address, value);
      await damage(path.join(folder, "results", "make", `${KEY}.json`));
      const problems: string[] = [];
      assert.equal(await cache.load(address, (problem) => problems.push(problem)), undefined);
      assert.equal(problems.length, 1);
      assert.deepEqual(await readdir(path.join(folder, "results", "make")), []);
    });
  }

  it("load() rejects a value that was copied to another key", async () => {
    await cache.save(address, { a: 1 });
    const other = { ...address, key: "1".repeat(64) };
    await writeFile(
      path.join(folder, "results", "make", `${other.key}.json`),
      await readFile(path.join(folder, "results", "make", `${KEY}.json`)),
    );
    assert.equal(await cache.load(other), undefined);
    assert.deepEqual(await cache.load(address), { a: 1 });
  });

  it("a damaged result of a cell is computed again", async () => {
    let runs = 0;
    const make = defineCell({
      name: "make",
      version: 1,
      summary: "",
      inputs: [],
      engine: false,
      parameters: z.object({}),
      run: () => ({ run: ++runs, x: new Float32Array(3) }),
    }).with({ cache, progress: silentProgress });
    const first = await make();
    await changeLastByte(path.join(folder, "results", "make", first.provenance.key));
    assert.equal((await quietly(() => make())).run, 2);
    assert.equal((await make()).run, 2);
  });

  it("sizes() counts by cell, clear() removes by cell", async () => {
    await cache.save(address, value);
    await cache.save({ kind: "states", cell: "make", key: KEY }, { step: 1 });
    await cache.save({ ...address, cell: "../odd name" }, { a: 1 });
    const sizes = await cache.sizes();
    assert.deepEqual(
      sizes.map(({ cell, results, states }) => [cell, results, states]),
      [
        ["../odd name", 1, 0],
        ["make", 1, 1],
      ],
    );
    assert.ok(sizes[1]!.bytes > 100);
    await cache.clear("../odd name");
    assert.deepEqual(
      (await cache.sizes()).map(({ cell }) => cell),
      ["make"],
    );
    await cache.clear();
    assert.deepEqual(await cache.sizes(), []);
  });

  it("defaultCacheFolder() follows DAMLAB_CACHE", () => {
    const before = process.env["DAMLAB_CACHE"];
    process.env["DAMLAB_CACHE"] = folder;
    try {
      assert.equal(new ResultCache().folder, path.join(folder, "cells"));
    } finally {
      if (before === undefined) delete process.env["DAMLAB_CACHE"];
      else process.env["DAMLAB_CACHE"] = before;
    }
    configureCells({});
  });

  async function arraysOf(prefix: string): Promise<string> {
    const names = await readdir(path.dirname(prefix));
    return path.join(
      path.dirname(prefix),
      names.find((name) => name.startsWith(path.basename(prefix)) && name.endsWith(".safetensors"))!,
    );
  }

  async function changeLastByte(prefix: string): Promise<void> {
    const file = await arraysOf(prefix);
    const bytes = await readFile(file);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(file, bytes);
  }

  async function quietly<T>(body: () => Promise<T>): Promise<T> {
    const write = process.stderr.write.bind(process.stderr);
    let said = "";
    process.stderr.write = ((text: string) => ((said += text), true)) as typeof process.stderr.write;
    try {
      const result = await body();
      assert.match(said, /^The kept result of cell "make" is damaged \(.*\); it is computed again\n$/);
      return result;
    } finally {
      process.stderr.write = write;
    }
  }
});
