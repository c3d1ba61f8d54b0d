import assert from "node:assert/strict";
import { narrowToBfloat16 } from "../../src/checkpoints";
import {
  addVector,
  allocateVectors,
  dotVectors,
  mergeVectors,
  placeVectors,
  probeEngines,
  randomStream,
  startEngine,
  widenBfloat16,
  type Vectors,
} from "../../src/engine";
import { TENSORFLOW_ENGINE } from "./tensorflowEngine";
import { skipBecause } from "../skip";

// Lengths beside and across the blocks of 4,096, and not divisible by four.
const LENGTHS = [1, 7, 4096, 9001];
const COUNTS = [1, 2, 3, 4, 6, 7];
const vector = (name: string, length: number): Float32Array => randomStream(1, "vectors", name, length).normals(length);

interface Found {
  readonly combined: Float32Array;
  readonly theta: Float32Array;
  readonly unmasked: Float32Array;
  readonly added: Float32Array;
  readonly sums: Float64Array;
}

/** How the vectors are held: as they are, as bfloat16, or rounded to it but in float32. */
type Held = "float32" | "bfloat16" | "rounded" | "placed" | "bfloat16, placed";

function hold(vectors: readonly Float32Array[], held: Held): Vectors {
  const halves = vectors.map(narrowToBfloat16);
  // The second of two groups, so that the vectors do not begin where their memory does.
  const place = (own: Vectors): Vectors => placeVectors([own, own])[1]!;
  switch (held) {
    case "float32":
      return vectors;
    case "bfloat16":
      return halves;
    case "rounded":
      return halves.map(widened);
    case "placed":
      return place(vectors);
    case "bfloat16, placed":
      return placeVectors([halves])[0]!;
  }
}

function widened(bits: Uint16Array): Float32Array {
  const values = new Float32Array(bits.length);
  widenBfloat16(bits, values);
  return values;
}

function compute(length: number, count: number, how: Held = "float32"): Found {
  const [origin, mask, gradient] = [vector("origin", length), vector("mask", length), vector("gradient", length)];
  const numbers = Array.from({ length: count }, (_, task) => vector(`task ${task}`, length));
  const vectors = hold(numbers, how);
  const factors = numbers.map((_, task) => 0.3 - 0.11 * task);
  const added = origin.slice();
  const [combined, theta, unmasked] = [new Float32Array(length), new Float32Array(length), new Float32Array(length)];
  mergeVectors({ combined, theta, origin, mask }, vectors, factors);
  mergeVectors({ combined: null, theta: unmasked, origin, mask: null }, vectors, factors);
  const sums = new Float64Array(count).fill(1);
  numbers.forEach((values, task) => addVector(added, factors[task]!, values));
  dotVectors(gradient, mask, vectors, sums);
  dotVectors(gradient, null, vectors, sums);
  return { combined, theta, unmasked, added, sums };
}

const bytes = (found: Found): Buffer => Buffer.concat(Object.values(found).map((array: Float32Array) => Buffer.from(array.buffer)));
const allCases = (how?: Held): Found[] => LENGTHS.flatMap((length) => COUNTS.map((count) => compute(length, count, how)));

describe("mergeVectors() and dotVectors()", () => {
  afterEach(async () => void (await startEngine(process.env["DAMLAB_ENGINE"] ?? "auto")));

  it("mergeVectors() adds to the origin what the mask leaves of the weighted sum", async () => {
    await startEngine("cpu");
    const [theta, combined] = [new Float32Array(2), new Float32Array(2)];
    const vectors = [Float32Array.of(1, 2), Float32Array.of(10, 20), Float32Array.of(100, 200), Float32Array.of(1000, 2000)];
    mergeVectors({ combined, theta, origin: Float32Array.of(5, 5), mask: Float32Array.of(0, 0.5) }, vectors, [1, 2, 3, 4]);
    assert.deepEqual([...combined], [4321, 8642]);
    assert.deepEqual([...theta], [5, 5 + 0.5 * 8642]);
    const sums = Float64Array.of(1, 0, 0, 0);
    dotVectors(Float32Array.of(2, 3), Float32Array.of(1, 10), vectors, sums);
    assert.deepEqual([...sums], [1 + 2 + 60, 20 + 600, 200 + 6000, 2000 + 60_000]);
  });

  it("addVector() adds a vector times a factor; times 0 it changes nothing, not even the sign of a zero", async () => {
    await startEngine("cpu");
    const target = Float32Array.of(1, -0, 3);
    addVector(target, 2, Float32Array.of(10, 20, Infinity));
    assert.deepEqual([...target], [21, 40, Infinity]);
    const kept = Float32Array.of(-0, 5);
    addVector(kept, 0, Float32Array.of(1, NaN));
    assert.ok(Object.is(kept[0], -0) && kept[1] === 5);
  });

  it("mergeVectors() and dotVectors() give the same bytes on wasm as on cpu, at any length and number of vectors", async () => {
    await startEngine("cpu");
    const expected = allCases();
    await startEngine("wasm");
    allCases().forEach((found, index) => assert.ok(bytes(found).equals(bytes(expected[index]!)), `case ${index}`));
  });

  it("widenBfloat16() gives each number that bfloat16 has, NaN and infinities among them", () => {
    const bits = Uint16Array.of(0x3f80, 0xbfc0, 0x0000, 0x8000, 0x7f80, 0xff80, 0x7fc0, 0x0001);
    // 1, -1.5, both zeros, both infinities, NaN, the smallest subnormal 2^-133.
    assert.deepEqual([...widened(bits)], [1, -1.5, 0, -0, Infinity, -Infinity, NaN, 2 ** -133]);
    assert.deepEqual(narrowToBfloat16(widened(bits)), bits);
  });

  for (const engine of ["cpu", "wasm", TENSORFLOW_ENGINE]) {
    it(`mergeVectors() and dotVectors() give the same bytes from bfloat16 as from vectors rounded to it beforehand, on ${engine}`, async function () {
      const { available, reason } = probeEngines().find(({ name }) => name === engine)!;
      if (!available) skipBecause(this, `engine ${engine} is ${reason}`);
      await startEngine(engine);
      const expected = allCases("rounded");
      const exact = allCases();
      allCases("bfloat16").forEach((found, index) => {
        assert.ok(bytes(found).equals(bytes(expected[index]!)), `case ${index}`);
        assert.ok(!bytes(found).equals(bytes(exact[index]!)), `case ${index} is not rounded`);
      });
    });
  }

  it("placeVectors() lays vectors where wasm reads them without copying, to the same bytes; those that lie there are shared", async () => {
    await startEngine("wasm");
    for (const [placed, plain] of [
      ["placed", "float32"],
      ["bfloat16, placed", "bfloat16"],
    ] as const) {
      const expected = allCases(plain);
      allCases(placed).forEach((found, index) => assert.ok(bytes(found).equals(bytes(expected[index]!)), `${placed}, case ${index}`));
    }
    const vectors = [vector("a", 9001), vector("b", 9001)];
    const placed = placeVectors([vectors]);
    assert.deepEqual(placed, [vectors]);
    assert.notEqual(placed[0]![0]!.buffer, vectors[0]!.buffer);
    assert.equal(placed[0]![0]!.buffer, placed[0]![1]!.buffer);
    assert.equal(placeVectors(placed), placed);
    // An infinity beside a vector is none of its own, wherever a block ends.
    const [left, right] = allocateVectors([5], 2, "float32")[0] as Float32Array[];
    left!.fill(1);
    right!.fill(Infinity);
    const sums = new Float64Array(1);
    dotVectors(Float32Array.of(1, 2, 3, 4, 5), null, [left!], sums);
    assert.equal(sums[0], 15);
    await startEngine("cpu");
    assert.equal(placeVectors([vectors])[0], vectors);
  });

  it("mergeVectors() gives on native of a whole what it gives of its pieces, wherever they lie", async function () {
    const { available, reason } = probeEngines().find(({ name }) => name === TENSORFLOW_ENGINE)!;
    if (!available) skipBecause(this, `engine ${TENSORFLOW_ENGINE} is ${reason}`);
    await startEngine(TENSORFLOW_ENGINE);
    const length = (1 << 18) + 11;
    const [origin, mask] = [vector("origin", length), vector("mask", length)];
    const vectors = Array.from({ length: 4 }, (_, task) => vector(`task ${task}`, length));
    // One, two and three elements behind a multiple of 16 bytes.
    for (const shift of [0, 1, 2, 3]) {
      const [long, short] = [0, 1].map(() => ({
        combined: new Float32Array(length + 8).fill(7),
        theta: new Float32Array(length + 8).fill(7),
      }));
      const part = (all: Float32Array, from: number, to: number): Float32Array => all.subarray(from, to);
      const into = ({ combined, theta }: typeof long & object, from: number, to: number): void =>
        mergeVectors(
          {
            combined: part(combined, shift + from, shift + to),
            theta: part(theta, 3 - shift + from, 3 - shift + to),
            origin: part(origin, from, to),
            mask: part(mask, from, to),
          },
          vectors.map((values) => part(values, from, to)),
          [0.5, -0.25, 0.3, 1],
        );
      into(long!, 0, length);
      for (let from = 0; from < length; from += 1 << 16) into(short!, from, Math.min(length, from + (1 << 16)));
      assert.ok(Buffer.from(long!.theta.buffer).equals(Buffer.from(short!.theta.buffer)), `theta, ${shift} elements on`);
      assert.ok(Buffer.from(long!.combined.buffer).equals(Buffer.from(short!.combined.buffer)), `combined, ${shift} elements on`);
    }
  });

  it("mergeVectors() and dotVectors() agree with cpu within 1e-5 on native", async function () {
    const { available, reason } = probeEngines().find(({ name }) => name === TENSORFLOW_ENGINE)!;
    if (!available) skipBecause(this, `engine ${TENSORFLOW_ENGINE} is ${reason}`);
    await startEngine("cpu");
    const expected = allCases();
    await startEngine(TENSORFLOW_ENGINE);
    allCases().forEach((found, index) => {
      for (const name of ["combined", "theta", "unmasked", "added", "sums"] as const) {
        const right = expected[index]![name];
        const largest = Math.max(1, ...Array.from(right, Math.abs));
        found[name].forEach((value, i) => assert.ok(Math.abs(value - right[i]!) <= 1e-5 * largest, `${name} ${i} of case ${index}`));
      }
    });
  });
});
