import assert from "node:assert/strict";
import * as path from "node:path";
import type { NamedTensors } from "../../src/checkpoints";
import { average, mergeParameters, taskArithmetic, ties, type DataFreeMethod } from "../../src/merging";
import { FIXTURES, numbers, picoModel, readAll, subtract } from "./pico";

const cases: Record<string, [method: DataFreeMethod<object>, options: object]> = {
  average: [average, {}],
  task_arithmetic: [taskArithmetic, { scaling: 0.3 }],
  ties_global_sum: [ties, { density: 0.2, aggregate: "sum", scaling: 0.3 }],
  ties_global_mean: [ties, { density: 0.5, aggregate: "mean", scaling: 1 }],
  ties_tensor_sum: [ties, { density: 0.2, trim: "tensor", aggregate: "sum", scaling: 0.3 }],
  ties_tensor_mean: [ties, { density: 0.5, trim: "tensor", aggregate: "mean", scaling: 1 }],
};

describe("mergeParameters()", () => {
  for (const label of ["fine", "coarse"]) {
    it(`mergeParameters() equals the reference rules to the bit on ${label} models`, async () => {
      const load = (part: string): Promise<NamedTensors> => readAll(path.join(FIXTURES, `${label}-${part}.safetensors`));
      const base = await load("base");
      const finetuned = [await load("model1"), await load("model2"), await load("model3")];
      const expected = await load("expected");
      for (const [name, [method, options]] of Object.entries(cases)) {
        const merged = mergeParameters(method, base, { finetuned }, options);
        for (const [parameter, { values }] of merged) {
          assert.deepEqual([...values], [...expected.get(`${name}/${parameter}`)!.values], `${name}/${parameter}`);
        }
      }
    });
  }

  const base = picoModel(0);
  const finetuned = [1, 2, 3, 4].map((seed) => picoModel(seed, base));
  const taskVectors = finetuned.map((model) => subtract(model, base));

  it("mergeParameters() gives θ0 for a coefficient of 0", () => {
    for (const method of [taskArithmetic, ties]) {
      assert.deepEqual(numbers(mergeParameters(method, base, { finetuned }, { scaling: 0 })), numbers(base));
    }
  });

  it("mergeParameters() gives a single model back at coefficient 1, within rounding", () => {
    const runs = [
      mergeParameters(taskArithmetic, base, { finetuned: [finetuned[0]!] }, { scaling: 1 }),
      mergeParameters(ties, base, { finetuned: [finetuned[0]!] }, { scaling: 1, density: 1 }),
      mergeParameters(ties, base, { finetuned: [finetuned[0]!] }, { scaling: 1, density: 1, trim: "tensor", aggregate: "mean" }),
    ];
    // θ0 + (θ1 − θ0) in float32: two roundings of numbers below 4, each at most 2^-23 of one.
    for (const merged of runs) assertClose(merged, finetuned[0]!, 5e-7);
  });

  it("mergeParameters() averages equal models to themselves", () => {
    // 3x may be rounded, so 3x/3 may differ from x in the last bit.
    assertClose(mergeParameters(average, base, { finetuned: [1, 1, 1].map(() => finetuned[0]!) }), finetuned[0]!, 2.5e-7);
  });

  it("mergeParameters() takes task vectors as well as fine-tuned models", () => {
    for (const [method, options] of Object.values(cases)) {
      const fromModels = mergeParameters(method, base, { finetuned }, options);
      const fromVectors = mergeParameters(method, base, { taskVectors }, options);
      if (method.name === "average") assertClose(fromVectors, fromModels, 1e-6);
      else assert.deepEqual(numbers(fromVectors), numbers(fromModels), method.name);
    }
  });

  it("mergeParameters() keeps the projection the pretrained one, but merges it with scope all", () => {
    const projection = "visual_projection.weight";
    const vision = mergeParameters(taskArithmetic, base, { finetuned });
    assert.equal(vision.get(projection), base.get(projection));
    const all = mergeParameters(taskArithmetic, base, { finetuned }, {}, { scope: "all" });
    assert.notDeepEqual(all.get(projection), base.get(projection));
    assert.deepEqual([...vision.keys()], [...base.keys()]);
  });

  it("mergeParameters() leaves its arguments as they were", () => {
    const before = [base, ...finetuned].map(numbers);
    for (const [method, options] of Object.values(cases)) mergeParameters(method, base, { finetuned }, options);
    assert.deepEqual([base, ...finetuned].map(numbers), before);
  });

  it("mergeParameters() keeps the entries of the elected sign only", () => {
    // Sums of the kept entries: 3 − 1 = 2 > 0 keeps 3; −4 + 2 = −2 < 0 keeps −4; 1 − 1 = 0 goes by the majority of signs (+ − here: a draw, so −).
    const tensors = (...values: number[]): NamedTensors => new Map([["vision_model.x", { shape: [3], values: Float32Array.from(values) }]]);
    const models = { taskVectors: [tensors(3, -4, 1), tensors(-1, 2, -1)] };
    const merge = (trim: "global" | "tensor"): number[] =>
      numbers(mergeParameters(ties, tensors(0, 0, 0), models, { density: 1, scaling: 1, trim }))["vision_model.x"]!;
    assert.deepEqual(merge("global"), [3, -4, -1]);
    assert.deepEqual(merge("tensor"), [3, -4, 1]);
  });

  it("mergeParameters() names the parameter and both shapes where a model does not fit", () => {
    const wrong = new Map(finetuned[0]!).set("vision_model.embeddings.class_embedding", { shape: [6], values: new Float32Array(6) });
    const text =
      'Cannot merge "vision_model.embeddings.class_embedding": expected shape [7] as in the pretrained model, got [6] in model 2';
    assert.throws(() => mergeParameters(average, base, { finetuned: [finetuned[0]!, wrong] }), new TypeError(text));
    const missing = new Map(finetuned[0]!);
    missing.delete("vision_model.post_layernorm.bias");
    assert.throws(
      () => mergeParameters(average, base, { finetuned: [missing] }),
      /"vision_model.post_layernorm.bias".*got nothing in model 1$/,
    );
    const extra = new Map(finetuned[0]!).set("vision_model.more", { shape: [1], values: new Float32Array(1) });
    assert.throws(
      () => mergeParameters(average, base, { finetuned: [extra] }),
      /Cannot merge "vision_model.more": expected only parameters/,
    );
    assert.throws(() => mergeParameters(average, base, { finetuned: [] }), /expected at least one, got none/);
    assert.throws(() => mergeParameters(average, new Map(), { finetuned: [extra] }), /scope "all" merges every parameter/);
  });

  it("mergeParameters() refuses to trim by magnitude what is not finite", () => {
    const broken = picoModel(1, base);
    broken.get("vision_model.post_layernorm.bias")!.values[0] = NaN;
    assert.throws(
      () => mergeParameters(ties, base, { finetuned: [finetuned[0]!, broken] }),
      new RangeError("Cannot trim model 2 of 2: expected finite parameters, got NaN or an infinity"),
    );
  });

  it("mergeParameters() refuses unknown and unfit options by name", () => {
    const run = (options: object): unknown => mergeParameters(ties as DataFreeMethod<object>, base, { finetuned }, options);
    assert.throws(
      () => run({ densty: 0.2 }),
      new TypeError('Cannot merge by "ties": unknown key "options.densty", did you mean "density"?'),
    );
    assert.throws(() => run({ density: 20 }), new RangeError('Cannot merge by "ties": expected "options.density" to be at most 1, got 20'));
    assert.throws(() => run({ trim: "layer" }), /expected "options.trim" to be one of global, tensor, got "layer"/);
    assert.throws(
      () => run({ scaling: "0.3" }),
      new TypeError('Cannot merge by "ties": expected "options.scaling" to be a number, got "0.3"'),
    );
  });
});

function assertClose(got: NamedTensors, expected: NamedTensors, tolerance: number): void {
  for (const [name, { values }] of got) {
    if (!name.startsWith("vision_model.")) continue;
    for (const [i, value] of values.entries()) {
      assert.ok(
        Math.abs(value - expected.get(name)!.values[i]!) <= tolerance,
        `${name}[${i}]: ${value} and ${expected.get(name)!.values[i]}`,
      );
    }
  }
}
