import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { open, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { type Dtype, DTYPE_NAMES, dtypeBytes, openSafetensors, writeSafetensors } from "../../src/checkpoints";
import { skipBecause } from "../skip";
import { expected, expectedValues, FIXTURES, fileBytes, withFolder } from "./expected";

/** The npm package `safetensors`, an independent reader; it has no types. */
interface IndependentReader {
  readonly metadata: ReadonlyMap<string, { readonly dtype: string; readonly shape: readonly number[] }>;
  getTensor(name: string): Uint8Array;
}
// eslint-disable-next-line @typescript-eslint/no-require-imports
const { SafeTensor } = require("safetensors") as { SafeTensor: new (bytes: Uint8Array) => IndependentReader };

describe("openSafetensors()", () => {
  for (const { file, metadata, tensors } of expected.files) {
    it(`reads ${file} as the official library wrote it`, async () => {
      const source = await openSafetensors(join(FIXTURES, file));
      assert.deepEqual([...source.tensors.keys()].sort(), tensors.map(({ name }) => name).sort());
      assert.deepEqual(Object.fromEntries(source.metadata), metadata ?? {});
      for (const tensor of tensors) {
        const entry = source.entry(tensor.name);
        assert.deepEqual([entry.dtype, entry.shape, entry.elements], [tensor.dtype, tensor.shape, tensor.values.length]);
        assert.equal(Buffer.from(await source.readBytes(tensor.name)).toString("hex"), tensor.hex, tensor.name);
        assert.deepEqual(await source.readValues(tensor.name), expectedValues(tensor), tensor.name);
      }
      await source.close();
    });
  }

  it("reads floats of each dtype as float32", async () => {
    const source = await openSafetensors(join(FIXTURES, "dtypes.safetensors"));
    const { tensors } = expected.files[0]!;
    for (const tensor of tensors.filter(({ dtype }) => dtype.includes("F"))) {
      const { shape, values } = await source.readFloat32(tensor.name);
      assert.deepEqual(shape, tensor.shape);
      assert.deepEqual(values, Float32Array.from(expectedValues(tensor) as Float32Array), tensor.name);
    }
    await source.close();
  });

  it("agrees with an independent reader on the bytes", () =>
    withFolder(async (folder) => {
      // That reader takes no metadata and reads names into a plain object.
      const file = join(folder, "all.safetensors");
      const tensors = expected.files.flatMap((row) => row.tensors).filter(({ name }) => name !== "__proto__");
      const unique = [...new Map(tensors.map((tensor) => [tensor.name, tensor])).values()];
      await writeSafetensors(
        file,
        unique.map((tensor) => ({ ...tensor, values: Buffer.from(tensor.hex, "hex") })),
      );
      for (const place of [file, join(FIXTURES, "shapes.safetensors")]) {
        const independent = new SafeTensor(new Uint8Array(readFileSync(place)));
        const source = await openSafetensors(place);
        assert.deepEqual([...independent.metadata.keys()].sort(), [...source.tensors.keys()].sort());
        for (const { name, dtype, shape } of source.tensors.values()) {
          assert.deepEqual(Buffer.from(independent.getTensor(name)), Buffer.from(await source.readBytes(name)), name);
          assert.deepEqual([independent.metadata.get(name)!.dtype, independent.metadata.get(name)!.shape], [dtype, shape]);
        }
        await source.close();
      }
    }));

  it("gives back random tensors of all dtypes byte by byte", () => withFolder((folder) => roundTrips(join(folder, "random.safetensors"))));

  it("reads any range of elements into the caller's memory", () =>
    withFolder(async (folder) => {
      const file = join(folder, "range.safetensors");
      // Quarters up to 64 are exact in F16, BF16 and the wider dtypes.
      const values = Float32Array.from({ length: 200_000 }, (_, i) => (i % 256) / 4);
      const rows = (["F64", "F32", "F16", "BF16"] as const).map((dtype) => ({ name: dtype, dtype, shape: [400, 500], values }));
      await writeSafetensors(file, rows);
      const source = await openSafetensors(file);
      const random = fc.record({
        dtype: fc.constantFrom(...rows.map(({ dtype }) => dtype)),
        start: fc.nat(200_000),
        count: fc.nat(150_000),
      });
      await fc.assert(
        fc.asyncProperty(random, async ({ dtype, start, count }) => {
          const length = Math.min(count, 200_000 - start);
          const target = new Float32Array(length + 3).fill(-1);
          await source.readFloat32Into(dtype, target.subarray(1), start, length);
          assert.deepEqual(target.subarray(1, 1 + length), values.subarray(start, start + length));
          // Nothing around the range is touched.
          assert.deepEqual([target[0], target[length + 1], target[length + 2]], [-1, -1, -1]);
          assert.deepEqual(
            Float32Array.from((await source.readValues(dtype, start, length)) as Float32Array),
            target.subarray(1, 1 + length),
          );
        }),
        { numRuns: 40, seed: 1 },
      );
      await source.close();
    }));

  it("refuses ranges, targets, names and dtypes that don't fit", async () => {
    const source = await openSafetensors(join(FIXTURES, "dtypes.safetensors"));
    const target = new Float32Array(11);
    await assert.rejects(source.readFloat32Into("F32", target, 5, 7), {
      name: "RangeError",
      message: 'Cannot read tensor "F32": expected a range within 11, got 7 from 5',
    });
    await assert.rejects(source.readFloat32Into("F32", target, -1), RangeError);
    await assert.rejects(source.readFloat32Into("F32", target, 0.5), RangeError);
    await assert.rejects(source.readFloat32Into("F32", target.subarray(1)), /expected a target for 11, got one for 10$/);
    await assert.rejects(source.readFloat32("I64"), /^TypeError: Cannot read tensor "I64" as float32: expected a floating dtype, got I64$/);
    await assert.rejects(source.readBytes("toString"), /^RangeError: Cannot find tensor "toString" in ".*dtypes\.safetensors"$/);
    await source.close();
    await source.close();
    await assert.rejects(source.readBytes("F32"), /expected an open file, it was closed$/);
  });

  it("tells when the file shrinks while it is open", () =>
    withFolder(async (folder) => {
      const file = join(folder, "shrinks.safetensors");
      await writeSafetensors(file, [{ name: "w", shape: [1000], values: new Float32Array(1000) }]);
      const source = await openSafetensors(file);
      const handle = await open(file, "r+");
      await handle.truncate(100);
      await handle.close();
      await assert.rejects(source.readFloat32("w"), { name: "SafetensorsError", tensor: "w", file });
      await source.close();
    }));

  it("reads behind 4 GiB", function () {
    return withFolder(async (folder) => {
      const file = join(folder, "sparse.safetensors");
      const big = 2 ** 32 + 4096;
      const header = `{"big":{"dtype":"U8","shape":[${big}],"data_offsets":[0,${big}]},"w":{"dtype":"F32","shape":[2],"data_offsets":[${big},${big + 8}]}}`;
      await writeFile(file, fileBytes(header));
      const handle = await open(file, "r+");
      await handle.truncate(8 + header.length + big + 8);
      await handle.write(Buffer.from(Float32Array.of(3, -4).buffer), 0, 8, 8 + header.length + big);
      await handle.write(Buffer.of(7), 0, 1, 8 + header.length + 2 ** 32 + 5);
      await handle.close();
      // 512-byte blocks that the disk really gave.
      if ((await stat(file)).blocks * 512 > 2 ** 30) skipBecause(this, "the disk keeps no sparse files");
      const source = await openSafetensors(file);
      assert.deepEqual((await source.readFloat32("w")).values, Float32Array.of(3, -4));
      assert.deepEqual(await source.readValues("big", 2 ** 32 + 4, 3), Uint8Array.of(0, 7, 0));
      await source.close();
    });
  });
});

async function roundTrips(file: string): Promise<void> {
  const tensor = fc.record({
    name: fc.string({ unit: "grapheme", maxLength: 12 }).filter((name) => name !== "__metadata__"),
    dtype: fc.constantFrom<Dtype>(...DTYPE_NAMES),
    shape: fc.array(fc.nat(5), { maxLength: 4 }),
    seed: fc.nat(255),
  });
  const tensors = fc.uniqueArray(tensor, { selector: ({ name }) => name, maxLength: 8 });
  const metadata = fc.option(fc.dictionary(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" })), { nil: undefined });
  await fc.assert(
    fc.asyncProperty(tensors, metadata, async (rows, text) => {
      const written = rows.map(({ name, dtype, shape, seed }) => {
        const bytes = shape.reduce((product, size) => product * size, 1) * dtypeBytes(dtype);
        return { name, dtype, shape, values: Uint8Array.from({ length: bytes }, (_, i) => seed + 31 * i) };
      });
      await writeSafetensors(file, written, text === undefined ? {} : { metadata: text });
      const source = await openSafetensors(file);
      assert.equal(source.tensors.size, rows.length);
      assert.deepEqual([...source.metadata].sort(), Object.entries(text ?? {}).sort());
      for (const { name, dtype, shape, values } of written) {
        assert.deepEqual([source.entry(name).dtype, source.entry(name).shape], [dtype, shape]);
        assert.deepEqual(await source.readBytes(name), values);
        const read = await source.readValues(name);
        if (!["F16", "BF16", "F8_E4M3", "F8_E5M2"].includes(dtype)) assert.deepEqual(new Uint8Array(read.buffer), values);
      }
      await source.close();
      const header = await readFile(file);
      assert.equal(header.readUInt32LE() % 8, 0);
    }),
    { numRuns: 60, seed: 2 },
  );
}
