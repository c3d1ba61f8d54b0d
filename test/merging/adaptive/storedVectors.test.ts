import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { runDam } from "../../../src/dam";
import { startEngine } from "../../../src/engine";
import { parseOptions } from "../../../src/merging";
import {
  adaMerging,
  adaMergingTaskwise,
  concreteAdaMerging,
  concreteTaskArithmetic,
  createMergeSpace,
  fileStore,
  runAdaMerging,
  storeTaskVector,
  tiesTaskVectors,
  type AdaptationContext,
  type AdaptedMerge,
  type StoredVector,
} from "../../../src/merging/adaptive";
import type { TestTimeMethod } from "../../../src/merging";
import { bytesOf, CONTEXT, PRETRAINED, VECTORS } from "../../dam/pico";

const HALVES = VECTORS.map((vector) => storeTaskVector(vector, "bfloat16"));
const ROUNDED = HALVES.map((vector) => storeTaskVector(vector, "float32"));
const SHORT = { labelSteps: 1, steps: 4, finalAdaptSteps: 2, batchSize: 4, stickerMin: 2, stickerMax: 4 } as const;
const bfloat16 = { vectorDtype: "bfloat16" } as const;
const given = (taskVectors: readonly StoredVector[], changes: Partial<AdaptationContext> = {}): AdaptationContext => ({
  ...CONTEXT,
  ...changes,
  taskVectors,
});

describe("storeTaskVector()", () => {
  it("storeTaskVector() rounds to the nearest bfloat16, ties to even; NaN and infinities stay", () => {
    // 1 + 2^-8 lies between 1 and 1 + 2^-7, 1 + 3 * 2^-8 between 1 + 2^-7 and 1 + 2^-6; the largest float32 is nearest to infinity.
    const values = Float32Array.of(1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -8 + 2 ** -20, -0, NaN, Infinity, -Infinity, 3.4028234e38);
    const half = storeTaskVector(new Map([["a", { shape: [8], values }]]), "bfloat16");
    assert.ok(half.get("a")!.values instanceof Uint16Array);
    const rounded = [1, 1 + 2 ** -6, 1 + 2 ** -7, -0, NaN, Infinity, -Infinity, Infinity];
    assert.deepEqual([...storeTaskVector(half, "float32").get("a")!.values], rounded);
    // A NaN whose payload lies in the lower half alone must not become an infinity.
    const quiet = new Float32Array(Uint32Array.of(0x7f800001).buffer);
    const kept = storeTaskVector(new Map([["a", { shape: [1], values: quiet }]]), "bfloat16");
    assert.ok(Number.isNaN(storeTaskVector(kept, "float32").get("a")!.values[0]));
  });

  it("storeTaskVector() is off by at most 2^-8 of each element's magnitude, and gives back what is held so already", () => {
    for (const [index, vector] of VECTORS.entries()) {
      for (const [name, { values }] of vector) {
        const rounded = ROUNDED[index]!.get(name)!.values;
        // Half a unit in the last of eight binary places.
        values.forEach((value, i) => assert.ok(Math.abs(rounded[i]! - value) <= 2 ** -8 * Math.abs(value), name));
      }
    }
    assert.equal(storeTaskVector(VECTORS[0]!, "float32"), VECTORS[0]);
    assert.equal(storeTaskVector(HALVES[0]!, "bfloat16"), HALVES[0]);
  });
});

describe("createMergeSpace()", () => {
  it("createMergeSpace() holds task vectors in half the memory if asked to, and shares what is rounded already", () => {
    const [wide, half, shared] = [
      createMergeSpace(PRETRAINED, VECTORS),
      createMergeSpace(PRETRAINED, VECTORS, "bfloat16"),
      createMergeSpace(PRETRAINED, HALVES, "bfloat16"),
    ];
    const bytes = ({ vectors }: typeof wide): number => vectors.flat().reduce((sum, { byteLength }) => sum + byteLength, 0);
    assert.equal(bytes(half), bytes(wide) / 2);
    const { name } = shared.layout[0]!;
    assert.equal(shared.vectors[0]![1], HALVES[1]!.get(name)!.values);
    assert.equal(wide.vectors[0]![1], VECTORS[1]!.get(name)!.values);
  });
});

describe("vectorDtype", () => {
  before(async () => void (await startEngine()));

  it("runDam() in bfloat16 gives the bytes of rounded task vectors, whoever rounds them, and those of float32 by default", async () => {
    const half = await runDam(given(VECTORS), { ...SHORT, ...bfloat16 });
    assert.equal(bytesOf(half.parameters), bytesOf((await runDam(given(ROUNDED), SHORT)).parameters));
    assert.equal(bytesOf(half.parameters), bytesOf((await runDam(given(HALVES), { ...SHORT, ...bfloat16 })).parameters));
    const wide = await runDam(given(VECTORS), SHORT);
    assert.notEqual(bytesOf(half.parameters), bytesOf(wide.parameters));
    assert.equal(bytesOf(wide.parameters), bytesOf((await runDam(given(VECTORS), { ...SHORT, vectorDtype: "float32" })).parameters));
  });

  it("runDam() in bfloat16 goes on after an interrupt to the same bytes", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "damlab-half-"));
    try {
      const options = { ...SHORT, ...bfloat16 };
      const whole = bytesOf((await runDam(given(HALVES), options)).parameters);
      const store = fileStore(path.join(folder, "state.safetensors"), "key");
      const controller = new AbortController();
      const progress = { start: () => ({ update: ({ step }: { step: number }) => step === 3 && controller.abort(), finish() {} }) };
      await runDam(given(HALVES, { store, progress, signal: controller.signal, whenInterrupted: "return" }), options);
      assert.equal(bytesOf((await runDam(given(HALVES, { store }), options)).parameters), whole);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  const methods = [adaMerging, adaMergingTaskwise, concreteTaskArithmetic, concreteAdaMerging];
  for (const method of methods as unknown as TestTimeMethod<object, AdaptationContext, AdaptedMerge>[]) {
    it(`${method.name}.merge() in bfloat16 gives the bytes of rounded task vectors`, async () => {
      const merge = (taskVectors: readonly StoredVector[], options: object) =>
        method.merge(given(taskVectors), parseOptions(method, { steps: 2, batchSize: 4, ...options }));
      const half = await merge(HALVES, bfloat16);
      assert.equal(bytesOf(half.parameters), bytesOf((await merge(ROUNDED, {})).parameters));
      assert.notEqual(bytesOf(half.parameters), bytesOf((await merge(VECTORS, {})).parameters));
      assert.throws(
        () => parseOptions(method, { vectorDtype: "float16" }),
        new RegExp(
          `^RangeError: Cannot merge by "${method.name}": expected "options.vectorDtype" to be one of float32, bfloat16, got "float16"$`,
        ),
      );
    });
  }

  it("runAdaMerging() with ++ trims the rounded task vectors", async () => {
    const options = { steps: 2, batchSize: 4, plusPlus: true };
    const half = await runAdaMerging(given(VECTORS), "layer", { ...options, ...bfloat16 });
    assert.equal(bytesOf(half.parameters), bytesOf((await runAdaMerging(given(ROUNDED), "layer", options)).parameters));
    assert.deepEqual(
      tiesTaskVectors(HALVES, 0.3).map((vector) => storeTaskVector(vector, "float32")),
      tiesTaskVectors(ROUNDED, 0.3),
    );
  });
});
