import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic, writeFolderAtomic, writeStreamAtomic } from "../../src/checkpoints";
import { withFolder } from "./expected";

/** Runs source that may use the room as `checkpoints`, until it prints a line, then kills it without a chance to clean up. */
async function runAndKill(source: string): Promise<void> {
  const room = JSON.stringify(join(__dirname, "..", "..", "src", "checkpoints"));
  const script = `const checkpoints = require(${room}); const forever = () => new Promise((resolve) => setTimeout(resolve, 1e6));\n${source}`;
  const child = spawn(process.execPath, ["-r", "tsx/cjs", "-e", script], { cwd: __dirname, stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "close");
}

describe("writeFileAtomic()", () => {
  it("writes text or bytes, makes parent folders, and replaces", () =>
    withFolder(async (folder) => {
      const file = join(folder, "a", "b", "file.txt");
      await writeFileAtomic(file, "é");
      assert.equal(await readFile(file, "utf8"), "é");
      await writeFileAtomic(file, Uint8Array.of(1, 2));
      assert.deepEqual([...(await readFile(file))], [1, 2]);
      assert.deepEqual(await readdir(join(folder, "a", "b")), ["file.txt"]);
    }));

  it("removes what a killed writer of the same name has left, and nothing of running ones", () =>
    withFolder(async (folder) => {
      const file = join(folder, "file.txt");
      await runAndKill(
        `checkpoints.writeStreamAtomic(${JSON.stringify(file)}, async (handle) => { await handle.write("half"); console.log("half"); await forever(); });`,
      );
      assert.equal((await readdir(folder)).length, 1);
      let during: string[] = [];
      const slow = writeStreamAtomic(file, async (handle) => {
        await handle.write("slow");
        await writeFileAtomic(file, "quick");
        during = await readdir(folder);
      });
      await slow;
      assert.equal(during.filter((name) => name.endsWith(".tmp")).length, 1);
      assert.deepEqual(await readdir(folder), ["file.txt"]);
      assert.equal(await readFile(file, "utf8"), "slow");
    }));

  it("writes names as long as the disk allows, and through a link", () =>
    withFolder(async (folder) => {
      const file = join(folder, "n".repeat(255));
      await writeFileAtomic(file, "old");
      await symlink(file, join(folder, "link"));
      await writeFileAtomic(join(folder, "link"), "new");
      assert.equal(await readFile(file, "utf8"), "new");
    }));

  it("refuses to replace a folder", () =>
    withFolder(async (folder) => {
      await assert.rejects(writeFileAtomic(folder, ""), /^TypeError: Cannot write file ".*": expected a file or nothing at that place/);
    }));
});

describe("writeFolderAtomic()", () => {
  it("replaces a folder as a whole", () =>
    withFolder(async (folder) => {
      const place = join(folder, "model");
      await writeFolderAtomic(place, (temporary) => writeFile(join(temporary, "old"), ""));
      await writeFolderAtomic(place, async (temporary) => {
        await mkdir(join(temporary, "deep"));
        await writeFile(join(temporary, "deep", "new"), "");
      });
      assert.deepEqual([await readdir(folder), await readdir(place)], [["model"], ["deep"]]);
    }));

  it("leaves the old folder and nothing else when writing fails", () =>
    withFolder(async (folder) => {
      const place = join(folder, "model");
      await writeFolderAtomic(place, (temporary) => writeFile(join(temporary, "old"), ""));
      const failing = writeFolderAtomic(place, async (temporary) => {
        await writeFile(join(temporary, "new"), "");
        throw new Error("disk full");
      });
      await assert.rejects(failing, /disk full/);
      assert.deepEqual([await readdir(folder), await readdir(place)], [["model"], ["old"]]);
    }));

  it("puts the old folder back where a crash came between the two renames", () =>
    withFolder(async (folder) => {
      const place = join(folder, "model");
      await writeFolderAtomic(place, (temporary) => writeFile(join(temporary, "old"), ""));
      await rename(place, join(folder, ".model.replaced"));
      await assert.rejects(
        writeFolderAtomic(place, () => Promise.reject(new Error("stop"))),
        /stop/,
      );
      assert.deepEqual([await readdir(folder), await readdir(place)], [["model"], ["old"]]);
    }));
});

describe("a process killed while it writes", () => {
  it("leaves no file, or the old one", () =>
    withFolder(async (folder) => {
      const file = join(folder, "w.safetensors");
      const source = `void checkpoints.writeSafetensors(${JSON.stringify(file)}, [
        { name: "a", shape: [2000000], values: new Float32Array(2000000) },
        { name: "b", shape: [1], values: () => { console.log("half"); return forever(); } }]);`;
      await runAndKill(source);
      assert.ok(!(await readdir(folder)).includes("w.safetensors"));
      await writeFileAtomic(file, "old");
      await runAndKill(source);
      assert.equal(await readFile(file, "utf8"), "old");
    }));

  it("leaves the old folder", () =>
    withFolder(async (folder) => {
      const place = join(folder, "model");
      await writeFolderAtomic(place, (temporary) => writeFile(join(temporary, "old"), ""));
      await runAndKill(`void checkpoints.writeFolderAtomic(${JSON.stringify(place)}, async (temporary) => {
        require("node:fs").writeFileSync(require("node:path").join(temporary, "new"), "");
        console.log("half");
        await forever();
      });`);
      assert.deepEqual(await readdir(place), ["old"]);
    }));
});
