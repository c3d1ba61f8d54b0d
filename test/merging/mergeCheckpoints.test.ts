import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { openTensors, writeSafetensors, type NamedTensors } from "../../src/checkpoints";
import { average, mergeCheckpoints, mergeParameters, parseRecipe, taskArithmetic, ties, type MergeRecord } from "../../src/merging";
import { numbers, picoModel, readAll, withFolder, writePico } from "./pico";

const base = picoModel(0);
const finetuned = [1, 2, 3].map((seed) => picoModel(seed, base));

async function writeLab(folder: string): Promise<void> {
  await writePico(path.join(folder, "base"), base, { "preprocessor_config.json": "{}\n" });
  for (const [i, name] of ["mnist", "resisc45-seed1", "dtd"].entries()) await writePico(path.join(folder, name), finetuned[i]!);
}

function merge(folder: string, recipe: object, out = "out"): Promise<MergeRecord> {
  const complete = { base: "base", models: ["mnist", "resisc45-seed1", "dtd"], method: "ties", ...recipe };
  return mergeCheckpoints(parseRecipe(JSON.stringify(complete), path.join(folder, "r.yaml")), path.join(folder, out));
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

describe("mergeCheckpoints()", () => {
  it("mergeCheckpoints() writes what mergeParameters() gives, and copies buffers and configuration", async () => {
    await withFolder(async (folder) => {
      await writeLab(folder);
      for (const method of [average, taskArithmetic, ties]) {
        await merge(folder, { method: method.name });
        const expected = numbers(mergeParameters(method, base, { finetuned }));
        assert.deepEqual(numbers(await readAll(path.join(folder, "out"))), sortKeys(expected));
      }
      const out = await openTensors(path.join(folder, "out"));
      assert.deepEqual(await out.readValues("vision_model.embeddings.position_ids"), BigInt64Array.of(0n, 1n, 2n));
      assert.deepEqual(out.metadata, new Map([["format", "pt"]]));
      await out.close();
      assert.deepEqual((await readdir(path.join(folder, "out"))).sort(), [
        "config.json",
        "model.safetensors",
        "preprocessor_config.json",
        "run.json",
      ]);
      assert.deepEqual(await readFile(path.join(folder, "out/config.json")), await readFile(path.join(folder, "base/config.json")));
    });
  });

  it("mergeCheckpoints() records recipe, tasks, hashes and versions", async () => {
    await withFolder(async (folder) => {
      await writeLab(folder);
      const record = await merge(folder, {});
      assert.deepEqual(JSON.parse(await readFile(path.join(folder, "out/run.json"), "utf8")), record);
      assert.deepEqual(
        record.models.map(({ task, taskFrom }) => [task, taskFrom]),
        [
          ["mnist", "name"],
          ["resisc45", "name"],
          ["dtd", "name"],
        ],
      );
      assert.equal(record.sha256, sha256(await readFile(path.join(folder, "out/model.safetensors"))));
      assert.equal(
        record.models[1]!.sha256["model.safetensors"],
        sha256(await readFile(path.join(folder, "resisc45-seed1/model.safetensors"))),
      );
      assert.deepEqual(Object.keys(record.base.sha256), ["model.safetensors"]);
      assert.ok(Math.abs(Date.parse(record.base.hashed["model.safetensors"]!) - Date.now()) < 60_000, "taken now, because the file is new");
      assert.equal(record.parameters, 7 + 60 + 1);
      assert.deepEqual(record.recipe.options, { scaling: 0.3, density: 0.2, trim: "global", aggregate: "sum" });
      assert.deepEqual(record.versions.node, process.version);
      const named = await merge(folder, { tasks: ["a", "b", "c"] });
      assert.deepEqual(
        named.models.map(({ task }) => task),
        ["a", "b", "c"],
      );
    });
  });

  it("mergeCheckpoints() converts to half precision and says so in config.json", async () => {
    await withFolder(async (folder) => {
      await writeLab(folder);
      const single = mergeParameters(ties, base, { finetuned });
      // Relative precision: 2^-11 for float16, 2^-8 for bfloat16; subnormals of float16 lie 2^-24 apart.
      for (const [dtype, stored, precision] of [
        ["float16", "F16", 2 ** -11],
        ["bfloat16", "BF16", 2 ** -8],
      ] as const) {
        await merge(folder, { dtype });
        const out = await openTensors(path.join(folder, "out"));
        for (const [name, { values }] of single) {
          assert.equal(out.entry(name).dtype, stored);
          const got = (await out.readFloat32(name)).values;
          got.forEach((value, i) =>
            assert.ok(Math.abs(value - values[i]!) <= precision * Math.abs(values[i]!) + 2 ** -25, `${name}[${i}]`),
          );
        }
        await out.close();
        assert.match(await readFile(path.join(folder, "out/config.json"), "utf8"), new RegExp(`"torch_dtype": "${dtype}"`));
      }
    });
  });

  it("mergeCheckpoints() takes plain files and merges all their floating tensors", async () => {
    await withFolder(async (folder) => {
      const rename = (model: NamedTensors): NamedTensors =>
        new Map([...model].map(([name, tensor]) => [name.replace("vision_model.", "any."), tensor]));
      await writeSafetensors(path.join(folder, "base.safetensors"), rename(base));
      for (const [i, model] of finetuned.entries()) await writeSafetensors(path.join(folder, `task${i}.safetensors`), rename(model));
      const models = finetuned.map((_, i) => `task${i}.safetensors`);
      const record = await merge(folder, { base: "base.safetensors", models, method: "task_arithmetic" });
      assert.equal(record.recipe.merge, "all");
      assert.deepEqual(record.models[2]!.task, "task2");
      const expected = mergeParameters(taskArithmetic, rename(base), { finetuned: finetuned.map(rename) }, {}, { scope: "all" });
      assert.deepEqual(numbers(await readAll(path.join(folder, "out"))), sortKeys(numbers(expected)));
    });
  });

  it("mergeCheckpoints() matches models whose names carry a wrapper's prefix, and keeps the base's own names", async () => {
    await withFolder(async (folder) => {
      await writeLab(folder);
      const wrapped = new Map([...finetuned[0]!].map(([name, tensor]) => [`clip.${name}`, tensor]));
      wrapped.delete("clip.visual_projection.weight");
      await writePico(path.join(folder, "wrapped"), wrapped);
      await merge(folder, { models: ["wrapped", "dtd"], method: "average" });
      const expected = mergeParameters(average, base, { finetuned: [finetuned[0]!, finetuned[2]!] });
      assert.deepEqual(numbers(await readAll(path.join(folder, "out"))), sortKeys(numbers(expected)));
    });
  });

  it("mergeCheckpoints() names parameter and model where a checkpoint does not fit, and writes nothing", async () => {
    await withFolder(async (folder) => {
      await writeLab(folder);
      const wrong = new Map(finetuned[0]!).set("vision_model.post_layernorm.bias", { shape: [2], values: new Float32Array(2) });
      await writePico(path.join(folder, "wrong"), wrong);
      await assert.rejects(merge(folder, { models: ["mnist", "wrong"] }), {
        name: "TypeError",
        message:
          /^Cannot merge "vision_model.post_layernorm.bias": expected shape \[1\] as in the pretrained model, got \[2\] in ".*wrong"$/,
      });
      await assert.rejects(merge(folder, { models: ["absent"] }), /Cannot open ".*absent"/);
      assert.equal((await readdir(folder)).includes("out"), false);
    });
  });

  it("mergeCheckpoints() replaces an earlier output, but no other folder", async () => {
    await withFolder(async (folder) => {
      await writeLab(folder);
      await merge(folder, { method: "average" });
      await merge(folder, { method: "ties" });
      assert.match(await readFile(path.join(folder, "out/run.json"), "utf8"), /"method": "ties"/);
      await mkdir(path.join(folder, "mine"));
      await writeFile(path.join(folder, "mine/thesis.txt"), "x");
      await assert.rejects(merge(folder, {}, "mine"), /Cannot write ".*mine": expected an empty folder or an earlier output with run.json/);
      await assert.rejects(merge(folder, {}, "."), /expected a folder that holds none of the merged models/);
      assert.equal(await readFile(path.join(folder, "mine/thesis.txt"), "utf8"), "x");
    });
  });

  it("mergeCheckpoints() leaves nothing behind when it is aborted", async () => {
    await withFolder(async (folder) => {
      await writeLab(folder);
      const before = await readdir(folder);
      const controller = new AbortController();
      const recipe = parseRecipe("{base: base, models: [mnist, dtd], method: ties}", path.join(folder, "r.yaml"));
      const onProgress = (): void => controller.abort(new Error("Interrupted"));
      await assert.rejects(
        mergeCheckpoints(recipe, path.join(folder, "out"), { signal: controller.signal, onProgress }),
        new Error("Interrupted"),
      );
      assert.deepEqual(await readdir(folder), before);
    });
  });

  it("mergeCheckpoints() killed anywhere leaves the earlier output or none, and the next merge succeeds", async () => {
    await withFolder(async (folder) => {
      const large = (model: number): NamedTensors =>
        new Map([["vision_model.x", { shape: [300_000], values: new Float32Array(300_000).fill(model) }]]);
      for (const name of ["base", "mnist", "dtd"]) await writePico(path.join(folder, name), large(name.length));
      await writeFile(path.join(folder, "r.yaml"), "{base: base, models: [mnist, dtd], method: ties, options: {scaling: 1}}");
      // Killed at the first sign of progress, and after the last slice.
      for (const place of [0, 1]) await killedMerge(folder, place);
      assert.equal((await readdir(folder)).includes("out"), false);
      const record = await merge(folder, { models: ["mnist", "dtd"] });
      // Killed half way, and while the folder is being finished.
      for (const place of [0.5, 2]) await killedMerge(folder, place);
      assert.equal(sha256(await readFile(path.join(folder, "out/model.safetensors"))), record.sha256);
      assert.deepEqual(JSON.parse(await readFile(path.join(folder, "out/run.json"), "utf8")), record);
      assert.equal((await merge(folder, { models: ["mnist", "dtd"], options: { scaling: 1 } })).recipe.options.scaling, 1);
    });
  });
});

/** Runs a merge in a process that kills itself (SIGKILL) when progress reaches `place`; 2 = when run.json is about to be written. */
async function killedMerge(folder: string, place: number): Promise<void> {
  const child = spawn(process.execPath, ["--require", "tsx/cjs", path.join(__dirname, "killedMerge.ts"), folder, String(place)], {
    stdio: "inherit",
  });
  const signal = await new Promise((resolve) => child.once("exit", (_code, name) => resolve(name)));
  assert.equal(signal, "SIGKILL");
}

function sortKeys<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
