import assert from "node:assert/strict";
import { randomStream, threefry2x32 } from "../../src/engine";

describe("threefry2x32()", () => {
  it("threefry2x32() gives the known answers of Random123 for 20 rounds", () => {
    assert.deepEqual(threefry2x32([0, 0], [0, 0]), [0x6b200159, 0x99ba4efe]);
    assert.deepEqual(threefry2x32([0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff]), [0x1cb996fc, 0xbb002be7]);
    assert.deepEqual(threefry2x32([0x13198a2e, 0x03707344], [0x243f6a88, 0x85a308d3]), [0xc4923a9c, 0x483df7a0]);
  });
});

describe("randomStream()", () => {
  it("randomStream() depends on its name alone, not on the order of calls", () => {
    const first = randomStream(3, "a", 1);
    const other = randomStream(3, "b", 1);
    const alone = [first.word(), first.word(), first.word()];
    const again = randomStream(3, "a", 1);
    const mixed = [again.word(), (other.word(), again.word()), (other.word(), again.word())];
    assert.deepEqual(mixed, alone);
  });

  it("randomStream() gives other numbers for another seed, name or order of names", () => {
    const words = [randomStream(0, "a", "b"), randomStream(1, "a", "b"), randomStream(0, "b", "a"), randomStream(0, "ab")].map((s) =>
      s.word(),
    );
    assert.equal(new Set(words).size, words.length);
  });

  it("randomStream() refuses a seed that is no integer", () => {
    assert.throws(() => randomStream(0.5), /^RangeError: Cannot open a random stream: expected an integer seed, got 0.5$/);
  });
});

describe("RandomStream", () => {
  it("child() does not depend on what was drawn from its parent", () => {
    const parent = randomStream(0, "parent");
    const before = parent.child("x").word();
    parent.word();
    assert.equal(parent.child("x").word(), before);
    assert.notEqual(parent.child("y").word(), before);
  });

  it("uniform() and normal() have the right mean and variance", () => {
    const stream = randomStream(0, "moments");
    const n = 20000;
    const uniform = Array.from({ length: n }, () => stream.uniform(2, 4));
    const normal = Array.from({ length: n }, () => stream.normal());
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / n;
    const variance = (values: number[]): number => {
      const centre = mean(values);
      return mean(values.map((value) => (value - centre) ** 2));
    };
    // standard errors: 0.58 / 141 = 0.004 and 1 / 141 = 0.007
    assert.ok(Math.abs(mean(uniform) - 3) < 0.02);
    assert.ok(Math.abs(mean(normal)) < 0.03);
    // Var U(2, 4) = 4 / 12
    const spread = variance(uniform);
    assert.ok(Math.abs(spread - 1 / 3) < 0.02);
    assert.ok(Math.abs(variance(normal) - 1) < 0.05);
    assert.ok(uniform.every((value) => value >= 2 && value < 4));
  }).timeout(20000);

  it("integer() covers its range evenly", () => {
    const stream = randomStream(0, "integers");
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < 7000; i++) counts[stream.integer(7)]!++;
    // standard deviation sqrt(7000 · 1/7 · 6/7) = 29
    assert.ok(
      counts.every((count) => Math.abs(count - 1000) < 150),
      counts.join(),
    );
  });

  it("integer() refuses a limit below 1", () => {
    assert.throws(() => randomStream(0).integer(0), /expected a limit in 1..2\^32, got 0/);
  });

  it("permutation() holds each number once", () => {
    const order = randomStream(0, "order").permutation(100);
    assert.deepEqual(
      [...order].sort((a, b) => a - b),
      [...Array(100).keys()],
    );
    assert.notDeepEqual([...order], [...Array(100).keys()]);
  });
});
