import assert from "node:assert/strict";
import fc from "fast-check";
import { canonicalJson } from "../../src/cells/canonicalJson";
import { contentHash, decodeValue, encodeValue } from "../../src/cells/valueCodec";

const roundTrip = (value: unknown): unknown => {
  const { tree, arrays } = encodeValue(value);
  return decodeValue(JSON.parse(JSON.stringify(tree)), arrays);
};
const hash = (value: unknown): string => contentHash(encodeValue(value));

describe("valueCodec", () => {
  it("decodeValue() gives back any plain value that encodeValue() took", () => {
    const { tree: value } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: "small" },
        fc.constantFrom(null, true, 0, -0, 1.5, NaN, Infinity, "", "$array"),
        fc.float32Array({ maxLength: 4 }),
        fc.bigInt64Array({ maxLength: 2 }),
        fc.uint8Array({ maxLength: 4 }),
        fc.array(tie("tree"), { maxLength: 3 }),
        fc.dictionary(fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom("$map", "$tensor", "a/b")), tie("tree"), {
          maxKeys: 3,
          noNullPrototype: true,
        }),
        fc.array(fc.tuple(fc.string({ maxLength: 3 }), tie("tree")), { maxLength: 3 }).map((entries) => new Map(entries)),
      ),
    }));
    fc.assert(
      fc.property(value, (item) => assert.deepEqual(roundTrip(item), item)),
      { numRuns: 300 },
    );
  });

  it("encodeValue() keeps a tensor's shape, and names arrays by their place", () => {
    const { tree, arrays } = encodeValue({
      a: new Map([["w", { shape: [1, 2], values: Float32Array.of(1, 2) }]]),
      list: [Int32Array.of(3)],
    });
    assert.deepEqual(
      [...arrays].map(([name, { dtype, shape }]) => [name, dtype, shape]),
      [
        ["a/w", "F32", [1, 2]],
        ["list/0", "I32", [1]],
      ],
    );
    assert.deepEqual(tree, { a: { $map: [["w", { $tensor: "a/w" }]] }, list: [{ $array: "list/0" }] });
  });

  it("encodeValue() rejects what it can't store and names the place", () => {
    assert.throws(
      () => encodeValue({ a: [1n] }),
      new TypeError('Cannot store "a/0": expected plain data, maps or typed arrays, got bigint'),
    );
    assert.throws(() => encodeValue({ when: new Date(0) }), /"when": .* got an object of class Date$/);
    assert.throws(() => encodeValue(new Map([[1, 2]])), /expected text as keys of a map, got number$/);
  });

  it("contentHash() sees values, dtypes, shapes and order", () => {
    const values = [
      { x: Float32Array.of(1, 2) },
      { x: Float32Array.of(2, 1) },
      { x: Float64Array.of(1, 2) },
      { x: { shape: [2], values: Float32Array.of(1, 2) } },
      { x: { shape: [1, 2], values: Float32Array.of(1, 2) } },
      { x: [1, 2] },
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ];
    assert.equal(new Set(values.map(hash)).size, values.length);
    assert.equal(hash({ x: Float32Array.of(1, 2) }), hash(values[0]));
  });

  it("canonicalJson() sorts keys, leaves out undefined and rejects what JSON lacks", () => {
    assert.equal(canonicalJson({ b: [1, { d: null, c: "é" }], a: undefined }), '{"b":[1,{"c":"é","d":null}]}');
    assert.throws(() => canonicalJson({ a: [NaN] }), new TypeError('Cannot write JSON of "a[0]": expected plain data, got NaN'));
  });
});
