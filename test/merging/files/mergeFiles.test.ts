import assert from "node:assert/strict";
import * as path from "node:path";
import { openTensors, writeSafetensors, type NamedTensors } from "../../../src/checkpoints";
import { dataFreeMethods, mergeCheckpoints, mergeParameters, parseRecipe, type DataFreeMethod } from "../../../src/merging";
import { readAll, withFolder } from "../pico";

type Shapes = readonly (readonly [name: string, elements: number])[];

/** Random values, on a grid of `step` (coarse grids make equal magnitudes and sums of zero), or of float32's own. */
function model(shapes: Shapes, seed: number, step = 0): NamedTensors {
  let state = seed * 2654435761 + 1;
  const next = (): number => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 3266489917) | 0;
    return (state >>> 0) / 2 ** 32 - 0.5;
  };
  const draw = (): number => (step === 0 ? next() * next() * 0.1 : Math.round((next() * 6) / step) * step);
  return new Map(shapes.map(([name, elements]) => [name, { shape: [elements], values: Float32Array.from({ length: elements }, draw) }]));
}

async function mergeBoth(
  models: readonly NamedTensors[],
  name: string,
  options: object,
  check: (got: number[], want: number[]) => void,
): Promise<void> {
  await withFolder(async (folder) => {
    const files = models.map((_, i) => path.join(folder, `m${i}.safetensors`));
    for (const [i, file] of files.entries()) await writeSafetensors(file, models[i]!);
    const recipe = parseRecipe(
      JSON.stringify({ base: files[0], models: files.slice(1), method: name, options }),
      path.join(folder, "r.yaml"),
    );
    const record = await mergeCheckpoints(recipe, path.join(folder, "out"));
    assert.match(record.engine, /SIMD/);
    const method = dataFreeMethods.get(name) as DataFreeMethod<object>;
    const want = mergeParameters(method, models[0]!, { finetuned: models.slice(1) }, options, { scope: "all" });
    for (const [tensor, { values }] of await readAll(path.join(folder, "out"))) check(bitsOf(values), bitsOf(want.get(tensor)!.values));
  });
}

const bitsOf = (values: Float32Array): number[] => Array.from(new Uint32Array(values.buffer, values.byteOffset, values.length));
const METHODS: readonly (readonly [string, object])[] = [
  ["average", {}],
  ["task_arithmetic", { scaling: 0.35 }],
  ["ties", {}],
  ["ties", { aggregate: "mean", density: 0.37 }],
  ["ties", { density: 1 }],
  ["ties", { trim: "tensor" }],
  ["ties", { trim: "tensor", aggregate: "mean", density: 0.5 }],
];

describe("mergeFiles()", () => {
  const before = process.env["DAMLAB_WORKERS"];
  afterEach(() => {
    if (before === undefined) delete process.env["DAMLAB_WORKERS"];
    else process.env["DAMLAB_WORKERS"] = before;
  });

  const odd: Shapes = [
    ["a", 1],
    ["b", 70_001],
    ["c", 7],
    ["d", 4097],
    ["e", 0],
    ["f", 13],
  ];
  for (const [name, options] of METHODS) {
    it(`mergeFiles() gives the bits of mergeParameters(): ${name} ${JSON.stringify(options)}`, async () => {
      for (const step of [0, 0.25]) {
        for (const count of [1, 2, 5]) {
          const models = Array.from({ length: count + 1 }, (_, seed) => model(odd, seed, step));
          await mergeBoth(models, name, options, (got, want) => assert.deepEqual(got, want));
        }
      }
    });
  }

  for (const [name, options] of [METHODS[1]!, METHODS[3]!, METHODS[6]!]) {
    it(`mergeFiles() gives them whatever the number of threads: ${name} ${JSON.stringify(options)}`, async () => {
      const shapes: Shapes = [
        ["x", 800_003],
        ["y", 5],
        ["z", 300_000],
      ];
      const models = [0, 1, 2, 3].map((seed) => model(shapes, seed, seed === 0 ? 0 : 0.01));
      for (const workers of ["1", "3"]) {
        process.env["DAMLAB_WORKERS"] = workers;
        await mergeBoth(models, name, options, (got, want) =>
          assert.ok(Buffer.from(Uint32Array.from(got).buffer).equals(Buffer.from(Uint32Array.from(want).buffer))),
        );
      }
    });
  }

  it("mergeFiles() finds the elected sign where a sample would mislead it", async () => {
    // 2^20 elements: the sample is 256 of each 1,024, from the 384th on. There all sums are positive, elsewhere twice as many are negative.
    const length = 2 ** 20;
    const sampled = (i: number): boolean => i % 1024 >= 384 && i % 1024 < 640;
    const zero: NamedTensors = new Map([["x", { shape: [length], values: new Float32Array(length) }]]);
    const models = [1, -1].map((sign): NamedTensors => {
      const values = Float32Array.from({ length }, (_, i) => (i % 1024 === 7 ? sign : (sampled(i) ? 0.5 : -0.5) * (1 + sign * 0.1)));
      return new Map([["x", { shape: [length], values }]]);
    });
    let cancelled = 0;
    await mergeBoth([zero, ...models], "ties", { density: 1 }, (got, want) => {
      // Where +1 and −1 cancel out, the negative one is kept: the bits of −0.3.
      cancelled = want.filter((bits, i) => i % 1024 === 7 && bits === 0xbe99999a).length;
      assert.ok(got.every((bits, i) => bits === want[i]));
    });
    assert.equal(cancelled, 1024);
  });

  it("mergeFiles() reads narrow and wide floats as the streamed merge does", async () => {
    await withFolder(async (folder) => {
      const shapes: Shapes = [
        ["x", 40_000],
        ["y", 3],
      ];
      const dtypes = ["F32", "F16", "BF16", "F64"] as const;
      for (const [i, dtype] of dtypes.entries())
        await writeSafetensors(path.join(folder, `${dtype}.safetensors`), model(shapes, i), { dtype });
      const widened: NamedTensors[] = [];
      for (const dtype of dtypes) widened.push(await readAll(path.join(folder, `${dtype}.safetensors`)));
      const recipe = {
        base: "F32.safetensors",
        models: ["F16.safetensors", "BF16.safetensors", "F64.safetensors"],
        method: "task_arithmetic",
      };
      const [first, ...others] = widened as [NamedTensors, ...NamedTensors[]];
      const want = mergeParameters(
        dataFreeMethods.get("task_arithmetic") as DataFreeMethod<object>,
        first,
        { finetuned: others },
        {},
        { scope: "all" },
      );
      await mergeCheckpoints(parseRecipe(JSON.stringify(recipe), path.join(folder, "r.yaml")), path.join(folder, "out"));
      const out = await openTensors(path.join(folder, "out"));
      for (const [name, { values }] of want) assert.deepEqual((await out.readFloat32(name)).values, values);
      await out.close();
    });
  });

  it("mergeFiles() refuses to trim what is not finite, naming the model", async () => {
    const models = [0, 1, 2].map((seed) => model(odd, seed));
    models[2]!.get("b")!.values[50_000] = NaN;
    for (const trim of ["global", "tensor"]) {
      await assert.rejects(
        mergeBoth(models, "ties", { trim }, () => undefined),
        new RangeError("Cannot trim model 2 of 2: expected finite parameters, got NaN or an infinity"),
      );
    }
  });
});
