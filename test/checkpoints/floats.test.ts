import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { narrowToBfloat16, narrowToFloat16, type NarrowDtype, widenInPlace } from "../../src/checkpoints/floats";
import { expected } from "./expected";

function sha256(array: Float32Array | Uint16Array): string {
  return createHash("sha256")
    .update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
    .digest("hex");
}

function widen(dtype: NarrowDtype, patterns: Uint8Array | Uint16Array): Float32Array {
  const values = new Float32Array(patterns.length);
  new Uint8Array(values.buffer).set(new Uint8Array(patterns.buffer), values.byteLength - patterns.byteLength);
  widenInPlace(dtype, values);
  return values;
}

const all16 = Uint16Array.from({ length: 65536 }, (_, i) => i);

describe("widenInPlace()", () => {
  for (const [dtype, hash] of Object.entries(expected.widening)) {
    it(`widens every pattern of ${dtype} as PyTorch does`, () => {
      const values = widen(dtype as NarrowDtype, dtype.startsWith("F8") ? Uint8Array.from({ length: 256 }, (_, i) => i) : all16);
      // The fixture's hash has 0 in place of each NaN, because NaNs have many patterns.
      assert.equal(sha256(values.map((value) => (Number.isNaN(value) ? 0 : value))), hash);
    });
  }
});

describe("narrowToFloat16() and narrowToBfloat16()", () => {
  /** As in make.py: patterns spread over all float32, and ties of neighbours. */
  function samples(): Float32Array {
    const spread = Uint32Array.from({ length: 2 ** 18 }, (_, i) => Number((BigInt(i) * 2654435761n) & 0xffffffffn));
    const ties = Uint32Array.from({ length: 2 ** 14 }, (_, i) => 0x3f800000 + i * 0x800);
    const values = [...new Float32Array(spread.buffer), ...new Float32Array(ties.buffer)];
    return Float32Array.from(values.filter((value) => !Number.isNaN(value)));
  }

  it("round to nearest, ties to even, as PyTorch does", () => {
    const values = samples();
    assert.equal(sha256(narrowToFloat16(values)), expected.narrowing["F16"]);
    assert.equal(sha256(narrowToBfloat16(values)), expected.narrowing["BF16"]);
  });

  it("keep every value that fits, NaN among them", () => {
    const isNaN16 = (pattern: number): boolean => (pattern & 0x7fff) > 0x7c00;
    const back = narrowToFloat16(widen("F16", all16));
    back.forEach((pattern, i) => (isNaN16(i) ? assert.ok(isNaN16(pattern)) : assert.equal(pattern, i)));
    const isNaNBrain = (pattern: number): boolean => (pattern & 0x7fff) > 0x7f80;
    const brain = narrowToBfloat16(widen("BF16", all16));
    brain.forEach((pattern, i) => (isNaNBrain(i) ? assert.ok(isNaNBrain(pattern)) : assert.equal(pattern, i)));
  });

  it("are nearest: no neighbouring pattern is closer", () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, min: -65504, max: 65504 }), (value) => {
        const [pattern] = narrowToFloat16(Float32Array.of(value));
        const distance = (bits: number): number => Math.abs(widen("F16", Uint16Array.of(bits))[0]! - value);
        const magnitude = pattern! & 0x7fff;
        if (magnitude > 0) assert.ok(distance(pattern!) <= distance(pattern! - 1));
        if (magnitude < 0x7bff) assert.ok(distance(pattern!) <= distance(pattern! + 1));
      }),
      { seed: 3 },
    );
  });
});
