import assert from "node:assert/strict";
import { cp, mkdir, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openSharded, openTensors, SafetensorsError, writeSafetensors } from "../../src/checkpoints";
import { expected, expectedValues, FIXTURES, withFolder } from "./expected";

const INDEX = "model.safetensors.index.json";

/** Writes shards that hold the named tensors, and an index, then opens it. */
async function openMade(folder: string, shards: Readonly<Record<string, readonly string[]>>, index: unknown): Promise<void> {
  for (const [file, names] of Object.entries(shards)) {
    await writeSafetensors(
      join(folder, file),
      names.map((name) => ({ name, shape: [1], values: Float32Array.of(1) })),
    );
  }
  await writeFile(join(folder, INDEX), typeof index === "string" ? index : JSON.stringify({ weight_map: index }));
  await (await openSharded(join(folder, INDEX))).close();
}

describe("openSharded()", () => {
  it("reads shards of the official library as one source", async () => {
    const source = await openTensors(join(FIXTURES, "sharded"));
    const shards = expected.files.filter(({ file }) => file.startsWith("sharded"));
    assert.deepEqual(Object.fromEntries(source.metadata), { format: "pt" });
    assert.equal(source.tensors.size, 3);
    for (const { file, tensors } of shards) {
      for (const tensor of tensors) {
        assert.equal(source.entry(tensor.name).file, join(FIXTURES, file));
        assert.deepEqual(await source.readValues(tensor.name), expectedValues(tensor));
      }
    }
    await source.close();
  });

  it("follows links into the blobs of a Hugging Face cache", () =>
    withFolder(async (folder) => {
      const snapshot = join(folder, "snapshots", "abc");
      await mkdir(join(folder, "blobs"));
      await cp(join(FIXTURES, "sharded"), snapshot, { recursive: true });
      for (const shard of ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]) {
        await rename(join(snapshot, shard), join(folder, "blobs", shard));
        await symlink(join("..", "..", "blobs", shard), join(snapshot, shard));
      }
      const source = await openTensors(snapshot);
      assert.equal(source.tensors.size, 3);
      await source.close();
    }));

  const one = { "a.safetensors": ["w"] };
  const refused: readonly (readonly [string, Readonly<Record<string, readonly string[]>>, unknown, RegExp])[] = [
    ["no JSON", {}, "{", /index\.json": invalid index: expected a string/],
    ["an index without a map", {}, "{}", /expected an object "weight_map", got none$/],
    ["a list for a map", {}, '{"weight_map":[]}', /expected an object "weight_map"/],
    ["a tensor twice in the index", one, '{"weight_map":{"w":"a.safetensors","w":"a.safetensors"}}', /"w" comes twice/],
    ["a number for a shard", one, { w: 1 }, /tensor "w" of .*expected the name of a shard/],
    ["a missing shard", {}, { w: "a.safetensors" }, /expected shard "a\.safetensors" beside the index, got no such file$/],
    [
      "a tensor that its shard lacks",
      one,
      { w: "a.safetensors", v: "a.safetensors" },
      /tensor "v" of .*in shard "a\.safetensors" as in the index, got none$/,
    ],
    [
      "a tensor that the index lacks",
      { "a.safetensors": ["v", "w"] },
      { w: "a.safetensors" },
      /tensor "v" of .*a\.safetensors": expected only tensors that the index/,
    ],
    [
      "a tensor in two shards",
      { ...one, "b.safetensors": ["v", "w"] },
      { w: "a.safetensors", v: "b.safetensors" },
      /tensor "w" of .*b\.safetensors": expected each tensor in one shard/,
    ],
    [
      "a tensor in another shard",
      { "a.safetensors": ["v"], "b.safetensors": ["w"] },
      { w: "a.safetensors", v: "b.safetensors" },
      /expected the tensor in shard "b\.safetensors" as in the index, got it here$/,
    ],
    ["deep nesting", {}, `{"metadata":${"[".repeat(100_000)}`, /expected less nesting/],
    ...[
      "../a.safetensors",
      "/tmp/a.safetensors",
      "x/../../a.safetensors",
      "..\\a.safetensors",
      "C:\\a.safetensors",
      "C:a.safetensors",
      "a.bin",
      "a\0.safetensors",
      "",
    ].map(
      (shard) =>
        [
          `shard ${JSON.stringify(shard)}`,
          {},
          { w: shard },
          /expected shards to be \.safetensors files inside the index's folder, got "/,
        ] as const,
    ),
  ];
  for (const [title, shards, index, message] of refused) {
    it(`refuses ${title}`, () =>
      withFolder(async (folder) => {
        await assert.rejects(openMade(folder, shards, index), (error) => {
          assert.ok(error instanceof SafetensorsError, String(error));
          assert.match(error.message, message);
          assert.ok(!error.message.includes("\n") && error.message.includes(folder));
          return true;
        });
      }));
  }

  it("refuses a shard that is a link out of the folder", () =>
    withFolder(async (folder) => {
      const inside = join(folder, "inside");
      await writeSafetensors(join(folder, "outside.safetensors"), [{ name: "w", shape: [1], values: Float32Array.of(1) }]);
      await mkdir(inside);
      await symlink(join("..", "outside.safetensors"), join(inside, "a.safetensors"));
      await assert.rejects(openMade(inside, {}, { w: "a.safetensors" }), /got "a\.safetensors", a link that leaves it$/);
    }));
});
