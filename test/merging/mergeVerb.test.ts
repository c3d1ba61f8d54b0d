import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { NamedTensors } from "../../src/checkpoints";
import { picoModel, withFolder, writePico } from "./pico";

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const main = path.join(__dirname, "..", "..", "src", "cli", "main");
const start = (cwd: string, words: readonly string[]) =>
  spawn(
    process.execPath,
    ["--require", require.resolve("tsx/cjs"), "-e", `require(${JSON.stringify(main)}).main(process.argv.slice(1))`, "--", ...words],
    { cwd },
  );

function end(child: ReturnType<typeof start>): Promise<Ended> {
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (text: Buffer) => (stdout += String(text)));
  child.stderr.on("data", (text: Buffer) => (stderr += String(text)));
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, stdout, stderr })));
}

describe("damlab merge", () => {
  it("damlab merge prints run.json's content, fails in one line, and knows wrong usage", async () => {
    await withFolder(async (folder) => {
      await writePico(path.join(folder, "base"), picoModel(0));
      await writePico(path.join(folder, "dtd"), picoModel(1));
      await writeFile(path.join(folder, "r.yaml"), "base: base\nmodels: [dtd]\nmethod: task_arithmetic\n");
      await writeFile(path.join(folder, "wrong.yaml"), "base: base\nmodels: [dtd]\nmetod: ties\n");
      const [done, failed, misused] = await Promise.all(
        [
          ["merge", "r.yaml", "--out", "out", "--json"],
          ["merge", "wrong.yaml", "--out", "no"],
          ["merge", "r.yaml"],
        ].map((words) => end(start(folder, words))),
      );
      assert.equal(done!.code, 0, done!.stderr);
      assert.deepEqual(JSON.parse(done!.stdout), JSON.parse(await readFile(path.join(folder, "out/run.json"), "utf8")));
      const reason = 'damlab: Cannot read recipe "wrong.yaml": unknown key "metod", did you mean "method"?\n';
      assert.deepEqual(failed, { code: 1, stdout: "", stderr: reason });
      assert.equal(misused!.code, 2);
      assert.match(misused!.stderr, /--out/);
      assert.deepEqual((await readdir(folder)).sort(), ["base", "dtd", "out", "r.yaml", "wrong.yaml"]);
    });
  });

  it("damlab merge ends with 130 on Ctrl-C and leaves nothing behind", async () => {
    await withFolder(async (folder) => {
      const large = (): NamedTensors => new Map([["vision_model.x", { shape: [6_000_000], values: new Float32Array(6_000_000).fill(1) }]]);
      for (const name of ["base", "one", "two"]) await writePico(path.join(folder, name), large());
      await writeFile(path.join(folder, "r.yaml"), "base: base\nmodels: [one, two, one, two, one, two]\nmethod: ties\n");
      const before = await readdir(folder);
      const child = start(folder, ["merge", "r.yaml", "--out", "out"]);
      const ended = end(child);
      while ((await readdir(folder)).length === before.length && child.exitCode === null) await delay(5);
      child.kill("SIGINT");
      assert.equal((await ended).code, 130);
      assert.deepEqual(await readdir(folder), before);
    });
  });
});
