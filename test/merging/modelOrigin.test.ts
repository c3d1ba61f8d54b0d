import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { findModelOrigin } from "../../src/merging";
import { withFolder } from "./pico";

describe("findModelOrigin()", () => {
  it("findModelOrigin() reads run.json, then zoo.json above, then the name", async () => {
    await withFolder(async (folder) => {
      const poisoned = path.join(folder, "backdoored/trojvit/resisc45-seed1");
      const clean = path.join(folder, "clean/dtd");
      const own = path.join(folder, "mine/anything");
      for (const place of [poisoned, clean, own]) await mkdir(place, { recursive: true });
      const models = [
        { path: "backdoored/trojvit/resisc45-seed1", task: "resisc45", attack: "trojvit", seed: 1 },
        { path: "clean/dtd", task: "dtd", attack: null, seed: 0 },
      ];
      await writeFile(path.join(folder, "zoo.json"), JSON.stringify({ models }));
      await writeFile(path.join(own, "run.json"), JSON.stringify({ task: "svhn", seed: 4 }));
      const attack = { attack: "trojvit", trigger: "trojvit/resisc45-seed1", seed: 1 };
      assert.deepEqual(await findModelOrigin(poisoned), { task: "resisc45", taskFrom: "zoo.json", ...attack });
      assert.deepEqual(await findModelOrigin(clean), { task: "dtd", taskFrom: "zoo.json", attack: null, trigger: null, seed: 0 });
      assert.deepEqual(await findModelOrigin(own), { task: "svhn", taskFrom: "run.json", attack: null, trigger: null, seed: 4 });
      const named = { attack: null, trigger: null, seed: null };
      assert.deepEqual(await findModelOrigin(path.join(folder, "eurosat-seed3")), { task: "eurosat", taskFrom: "name", ...named });
      assert.deepEqual(await findModelOrigin(path.join(folder, "cars.safetensors")), { task: "cars", taskFrom: "name", ...named });
      assert.deepEqual(await findModelOrigin(poisoned, "other"), { task: "other", taskFrom: "recipe", ...attack });
    });
  });
});
