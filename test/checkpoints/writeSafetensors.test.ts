import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { openSafetensors, writeSafetensors } from "../../src/checkpoints";
import { expected, expectedValues, FIXTURES, withFolder } from "./expected";

describe("writeSafetensors()", () => {
  for (const { file, metadata, tensors } of expected.files) {
    it(`writes the bytes of ${file}`, () =>
      withFolder(async (folder) => {
        const mine = join(folder, "mine.safetensors");
        // Narrow floats as raw bytes; reversed, so that the order is the writer's own.
        const rows = tensors.map((tensor) => {
          const raw = ["F16", "BF16", "F8_E4M3", "F8_E5M2"].includes(tensor.dtype);
          return { ...tensor, values: raw ? Buffer.from(tensor.hex, "hex") : expectedValues(tensor) };
        });
        await writeSafetensors(mine, rows.reverse(), metadata === null ? {} : { metadata });
        assert.deepEqual(await readFile(mine), await readFile(join(FIXTURES, file)));
      }));
  }

  it("converts float32 to the dtype asked for", () =>
    withFolder(async (folder) => {
      const file = join(folder, "w.safetensors");
      const tensors = new Map([["w", { shape: [3], values: Float32Array.of(1, 0.1, 70000) }]]);
      // 0.1 is 0x2e66 = 0.0999755859375 in F16, where 70000 overflows; in BF16 they are 0x3dcd and 0x4789.
      const rounded = {
        F64: [1, Math.fround(0.1), 70000],
        F32: [1, Math.fround(0.1), 70000],
        F16: [1, 0.0999755859375, Infinity],
        BF16: [1, 0.10009765625, 70144],
      };
      for (const dtype of ["F64", "F32", "F16", "BF16"] as const) {
        await writeSafetensors(file, tensors, { dtype });
        const source = await openSafetensors(file);
        assert.equal(source.entry("w").dtype, dtype);
        assert.deepEqual([...((await source.readValues("w")) as Float32Array)], rounded[dtype]);
        await source.close();
      }
    }));

  it("asks for values one tensor at a time, in file order, and lets the producer reuse its memory", () =>
    withFolder(async (folder) => {
      const file = join(folder, "lazy.safetensors");
      const asked: string[] = [];
      const memory = new Float32Array(400_000);
      const fill = (name: string, value: number) => () => {
        asked.push(name);
        return Promise.resolve(memory.fill(value));
      };
      async function* pieces(): AsyncGenerator<Float32Array> {
        asked.push("pieces");
        for (let i = 0; i < 4; i++) yield Promise.resolve(memory.subarray(0, 100).fill(i));
      }
      await writeSafetensors(file, [
        { name: "z", shape: [400_000], values: fill("z", 1) },
        { name: "b", shape: [400], dtype: "F16", values: pieces },
        { name: "a", shape: [400_000], values: fill("a", 2) },
      ]);
      assert.deepEqual(asked, ["a", "z", "pieces"]);
      const source = await openSafetensors(file);
      assert.ok((await source.readFloat32("a")).values.every((value) => value === 2));
      assert.ok((await source.readFloat32("z")).values.every((value) => value === 1));
      assert.deepEqual(
        (await source.readFloat32("b")).values,
        Float32Array.from({ length: 400 }, (_, i) => Math.floor(i / 100)),
      );
      await source.close();
    }));

  it("sorts metadata by key", () =>
    withFolder(async (folder) => {
      const file = join(folder, "metadata.safetensors");
      await writeSafetensors(file, [], { metadata: { b: "1", "\uff00": "3", "😀": "4", a: "2" } });
      const text = (await readFile(file)).subarray(8).toString("utf8").trimEnd();
      assert.equal(text, '{"__metadata__":{"a":"2","b":"1","\uff00":"3","😀":"4"}}');
    }));

  it("refuses what would make a bad file, and leaves none", () =>
    withFolder(async (folder) => {
      const file = join(folder, "bad.safetensors");
      const values = new Float32Array(4);
      const refuse = async (rows: Parameters<typeof writeSafetensors>[1], message: RegExp): Promise<void> => {
        await assert.rejects(writeSafetensors(file, rows), message);
        assert.deepEqual(await readdir(folder), []);
      };
      await refuse(
        [{ name: "w", shape: [5], values }],
        /^TypeError: Cannot write tensor "w": expected 20 bytes for F32 of shape \[5\], got 16$/,
      );
      await refuse([{ name: "w", shape: [3], values }], /expected 12 bytes for F32 of shape \[3\], got more$/);
      await refuse([{ name: "w", shape: [-2, -2], values }], /expected sizes of non-negative integers, got \[-2, -2\]$/);
      await refuse([{ name: "w", shape: [NaN], values }], /^TypeError: .* got \[NaN\]$/);
      await refuse([{ name: "w", shape: [4], dtype: "I64", values }], /expected I64 or its raw bytes as a Uint8Array, got Float32Array$/);
      await refuse([{ name: "__metadata__", shape: [4], values }], /expected a name of its own, it is taken$/);
      await refuse(
        [
          { name: "w", shape: [4], values },
          { name: "w", shape: [4], values },
        ],
        /"w": expected a name of its own/,
      );
      await refuse([{ name: "\ud800", shape: [4], values }], /expected well-formed Unicode text/);
      await refuse(
        [
          {
            name: "w",
            shape: [4],
            values: () => {
              throw new Error("stop here");
            },
          },
        ],
        /stop here/,
      );
    }));
});
