import assert from "node:assert/strict";
import { addVector, dotVectors, mergeVectors, probeEngines, randomStream, startEngine } from "../../src/engine";
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

function compute(length: number, count: number): Found {
  const [origin, mask, gradient] = [vector("origin", length), vector("mask", length), vector("gradient", length)];
  const vectors = Array.from({ length: count }, (_, task) => vector(`task ${task}`, length));
  const factors = vectors.map((_, task) => 0.3 - 0.11 * task);
  const added = origin.slice();
  const [combined, theta, unmasked] = [new Float32Array(length), new Float32Array(length), new Float32Array(length)];
  mergeVectors({ combined, theta, origin, mask }, vectors, factors);
  mergeVectors({ combined: null, theta: unmasked, origin, mask: null }, vectors, factors);
  const sums = new Float64Array(count).fill(1);
  vectors.forEach((values, task) => addVector(added, factors[task]!, values));
  dotVectors(gradient, mask, vectors, sums);
  dotVectors(gradient, null, vectors, sums);
  return { combined, theta, unmasked, added, sums };
}

const bytes = (found: Found): Buffer => Buffer.concat(Object.values(found).map((array: Float32Array) => Buffer.from(array.buffer)));
const allCases = (): Found[] => LENGTHS.flatMap((length) => COUNTS.map((count) => compute(length, count)));

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
