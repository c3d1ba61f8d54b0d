import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inspectCheckpoint, type WritableTensor, writeCheckpoint, writeSafetensors } from "../../src/checkpoints";
import { damlab } from "../cli/damlab";
import { expected, FIXTURES, fileBytes, parseValue, withFolder } from "./expected";
import { CONFIG, picoTower } from "./pico";

async function statistics(tensor: Omit<WritableTensor, "name">) {
  return withFolder(async (folder) => {
    const file = join(folder, "w.safetensors");
    await writeSafetensors(file, [{ name: "w", ...tensor }]);
    const [{ sha256, min, max, mean, nan, inf }] = (await inspectCheckpoint(file)).tensors as [never];
    return { sha256, min, max, mean, nan, inf };
  });
}

describe("inspectCheckpoint()", () => {
  for (const { file, metadata, tensors } of expected.files) {
    it(`tells of ${file} what the fixture says`, async () => {
      const report = await inspectCheckpoint(join(FIXTURES, file));
      assert.deepEqual(Object.fromEntries(report.metadata), metadata ?? {});
      assert.equal(report.tensors.length, tensors.length);
      for (const { name, dtype, shape, hex, values } of tensors) {
        const tensor = report.tensors.find((row) => row.name === name)!;
        const bytes = Buffer.from(hex, "hex");
        const sha256 = createHash("sha256").update(bytes).digest("hex");
        assert.deepEqual([tensor.dtype, tensor.shape, tensor.bytes, tensor.sha256], [dtype, shape, bytes.length, sha256]);
        assert.ok(!("file" in tensor || "norm" in tensor));
        const numbers = values.map(parseValue);
        assert.equal(tensor.nan, numbers.filter(Number.isNaN).length);
        assert.equal(tensor.inf, numbers.filter((value) => Math.abs(value) === Infinity).length);
        if (dtype.endsWith("64") && dtype !== "F64") continue;
        const finite = numbers.filter(Number.isFinite);
        assert.equal(tensor.min, finite.length === 0 ? null : Math.min(...finite));
        assert.equal(tensor.max, finite.length === 0 ? null : Math.max(...finite));
      }
    });
  }

  it("gives 64-bit integers exactly, as decimal strings", async () => {
    const signed = BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n, 0n);
    // The sum is -1, a third of it -0.333….
    const third = { min: "-9223372036854775808", max: "9223372036854775807", mean: "-0.33333333333333333", nan: 0, inf: 0 };
    assert.deepEqual(
      { ...(await statistics({ shape: [3], dtype: "I64", values: signed })), sha256: undefined },
      { sha256: undefined, ...third },
    );
    const top = 2n ** 64n - 1n;
    const unsigned = await statistics({ shape: [2], dtype: "U64", values: BigUint64Array.of(top, top) });
    assert.deepEqual([unsigned.min, unsigned.max, unsigned.mean], [String(top), String(top), String(top)]);
  });

  it("means without overflow and without drift", async () => {
    const huge = await statistics({ shape: [3], dtype: "F64", values: Float64Array.of(1.5e308, 1.5e308, 1.5e308) });
    assert.equal(huge.mean, 1.5e308);
    const both = await statistics({ shape: [4], dtype: "F64", values: Float64Array.of(1.5e308, 1.5e308, -1.5e308, -1.5e308) });
    assert.equal(both.mean, 0);
    // Three million times float32's 0.1, over several chunks.
    const equal = await statistics({ shape: [3_000_000], values: new Float32Array(3_000_000).fill(0.1) });
    assert.deepEqual([equal.min, equal.max, equal.mean], [Math.fround(0.1), Math.fround(0.1), Math.fround(0.1)]);
  });

  it("gives null where no value is finite", async () => {
    const { sha256, ...rest } = await statistics({ shape: [3], values: Float32Array.of(NaN, Infinity, -Infinity) });
    assert.match(sha256, /^[0-9a-f]{64}$/);
    assert.deepEqual(rest, { min: null, max: null, mean: null, nan: 1, inf: 2 });
  });

  it("names the shards, relative to the folder", async () => {
    const report = await inspectCheckpoint(join(FIXTURES, "sharded"));
    const files = Object.fromEntries(report.tensors.map(({ name, file }) => [name, file]));
    assert.deepEqual(files, {
      a: "model-00001-of-00002.safetensors",
      b: "model-00001-of-00002.safetensors",
      c: "model-00002-of-00002.safetensors",
    });
  });
});

describe("damlab inspect", () => {
  it("prints one JSON document", async () => {
    const { code, stdout, stderr } = await damlab("inspect", join(FIXTURES, "dtypes.safetensors"), "--json");
    assert.deepEqual([code, stderr], [0, ""]);
    const report = JSON.parse(stdout) as { tensors: Record<string, unknown>[]; metadata: unknown };
    assert.deepEqual(Object.keys(report), ["tensors", "metadata"]);
    assert.deepEqual(report.metadata, { format: "pt" });
    assert.deepEqual(Object.keys(report.tensors[0]!), ["name", "dtype", "shape", "bytes", "sha256", "min", "max", "mean", "nan", "inf"]);
    assert.equal(report.tensors.find(({ name }) => name === "I64")!["min"], "-9223372036854775808");
  });

  it("prints a table, with the names made safe for a terminal", async () => {
    const { code, stdout } = await damlab("inspect", join(FIXTURES, "names.safetensors"));
    assert.equal(code, 0);
    assert.match(stdout, /^tensor +dtype +shape +bytes +min +max +mean +nan +inf +sha256\n/);
    assert.match(stdout, /^tab\\u0009line\\u000abell\\u0007del\\u007f +F32 +\[1\] +4 +8 +8 +8 +0 +0 +[0-9a-f]{12}$/m);
    assert.match(stdout, /\n10 tensors, 40 bytes\nmetadata ключ: значение " \\ \\u000a \\u0001\n$/);
  });

  it("adds norm and cosine against a base", () =>
    withFolder(async (folder) => {
      const [base, tuned] = [join(folder, "base"), join(folder, "tuned")];
      await writeCheckpoint(base, { config: CONFIG, tensors: picoTower(1) });
      await writeCheckpoint(tuned, { config: CONFIG, tensors: picoTower(2) });
      const { code, stdout } = await damlab("inspect", tuned, "--json", "--against", base);
      assert.equal(code, 0);
      const report = JSON.parse(stdout) as { tensors: Record<string, number>[]; against: { base: string; norm: number } };
      let total = 0;
      for (const { name, norm, cosine } of report.tensors) {
        const [a, b] = [picoTower(2).get(String(name))!.values, picoTower(1).get(String(name))!.values];
        const tau = [...a].map((value, i) => Math.fround(value - b[i]!));
        const dot = (x: ArrayLike<number>, y: ArrayLike<number>): number => Array.from(x).reduce((sum, value, i) => sum + value * y[i]!, 0);
        assert.ok(Math.abs(norm! - Math.sqrt(dot(tau, tau))) < 1e-12);
        assert.ok(Math.abs(cosine! - dot(tau, b) / Math.sqrt(dot(tau, tau) * dot(b, b))) < 1e-12);
        total += dot(tau, tau);
      }
      assert.equal(report.against.base, base);
      assert.ok(Math.abs(report.against.norm - Math.sqrt(total)) < 1e-12);
      assert.match((await damlab("inspect", tuned, "--against", base)).stdout, /norm +relative +cosine +sha256\n/);
    }));

  it("ends with 1, one line that names the file, and nothing on stdout", () =>
    withFolder(async (folder) => {
      const bad = join(folder, "bad.safetensors");
      await writeFile(bad, fileBytes('{"a\\nb":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'));
      const other = join(folder, "other.safetensors");
      await writeSafetensors(other, new Map([["w", { shape: [1], values: Float32Array.of(1) }]]));
      const cases = [
        ["inspect", bad],
        ["inspect", bad, "--json"],
        ["inspect", other, "--against", bad],
        ["inspect", join(folder, "none")],
      ];
      for (const argv of [...cases, ["inspect", folder], ["inspect", other, "--against", join(FIXTURES, "none.safetensors"), "--json"]]) {
        const { code, stdout, stderr } = await damlab(...argv);
        assert.deepEqual([code, stdout], [1, ""], argv.join(" "));
        assert.match(stderr, /^damlab: [^\n]+\n$/);
        assert.ok(stderr.includes(argv.includes(bad) ? bad : folder) || stderr.includes("none.safetensors"), stderr);
      }
      assert.equal((await damlab("inspect")).code, 2);
    }));
});
