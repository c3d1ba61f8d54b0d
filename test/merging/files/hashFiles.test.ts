import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { appendFile, mkdir, open, readFile, stat, utimes, writeFile, type FileHandle } from "node:fs/promises";
import * as path from "node:path";
import { FileHashes } from "../../../src/merging/files/hashFiles";
import { findHash, hashCacheFile, keepHashes } from "../../../src/merging/files/hashCache";
import type { MergeThreads } from "../../../src/merging/files/mergeThreads";
import { mergeThreads } from "../../../src/merging/files/mergeThreads";
import { withFolder } from "../pico";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const LATER = new Date(Date.now() + 3_600_000);

/** Counts what is read. */
function counting(): MergeThreads & { reads: number } {
  const inner = mergeThreads(0);
  return {
    reads: 0,
    count: 1,
    run(name, request) {
      this.reads++;
      return inner.run(name, request);
    },
  };
}

describe("FileHashes", () => {
  const before = process.env["DAMLAB_CACHE"];
  let [handles, folder]: [FileHandle[], string] = [[], ""];
  const inFolder = (test: () => Promise<void>) => () =>
    withFolder(async (made) => {
      folder = made;
      process.env["DAMLAB_CACHE"] = path.join(made, "cache");
      try {
        await test();
      } finally {
        for (const handle of handles) await handle.close();
        handles = [];
        if (before === undefined) delete process.env["DAMLAB_CACHE"];
        else process.env["DAMLAB_CACHE"] = before;
      }
    });
  const openFile = async (name: string): Promise<{ path: string; descriptor: number }> => {
    const handle = await open(path.join(folder, name), "r");
    handles.push(handle);
    return { path: name, descriptor: handle.fd };
  };
  const state = (name: string) => stat(path.join(folder, name), { bigint: true });

  it(
    "FileHashes gives the sha256 of every file, and when it was taken",
    inFolder(async () => {
      await writeFile(path.join(folder, "a"), "one");
      await writeFile(path.join(folder, "b"), "");
      const hashes = await new FileHashes([await openFile("a"), await openFile("b")], mergeThreads(0)).take();
      assert.deepEqual([hashes.get("a")!.sha256, hashes.get("b")!.sha256], [sha256("one"), sha256("")]);
      assert.ok(Math.abs(Date.parse(hashes.get("a")!.hashed) - Date.now()) < 60_000);
    }),
  );

  it(
    "FileHashes does not read an unchanged file again, unless it is told to",
    inFolder(async () => {
      await writeFile(path.join(folder, "a"), "one");
      const known = { sha256: sha256("one"), hashed: "2026-01-02T03:04:05.678Z" };
      await keepHashes([[await state("a"), known]], LATER);
      const threads = counting();
      assert.deepEqual((await new FileHashes([await openFile("a")], threads).take()).get("a"), known);
      assert.equal(threads.reads, 0);
      const again = (await new FileHashes([await openFile("a")], threads, true).take()).get("a")!;
      assert.deepEqual([again.sha256, threads.reads], [known.sha256, 1]);
      assert.notEqual(again.hashed, known.hashed);
    }),
  );

  it(
    "FileHashes notices a change of the same length whose time was set back",
    inFolder(async () => {
      const file = path.join(folder, "a");
      await writeFile(file, "one");
      await utimes(file, 1_700_000_000, 1_700_000_000);
      await keepHashes([[await state("a"), { sha256: sha256("one"), hashed: "2026-01-02T03:04:05.678Z" }]], LATER);
      await new Promise((resolve) => setTimeout(resolve, 20));
      await writeFile(file, "two");
      await utimes(file, 1_700_000_000, 1_700_000_000);
      assert.equal((await state("a")).mtimeNs, 1_700_000_000n * 10n ** 9n);
      assert.equal((await new FileHashes([await openFile("a")], mergeThreads(0)).take()).get("a")!.sha256, sha256("two"));
    }),
  );

  it(
    "FileHashes does not remember a file that has just been written",
    inFolder(async () => {
      await writeFile(path.join(folder, "a"), "one");
      await new FileHashes([await openFile("a")], mergeThreads(0)).take();
      assert.equal(await findHash(await state("a")), undefined);
    }),
  );

  it(
    "FileHashes refuses a file that has changed while it was read",
    inFolder(async () => {
      await writeFile(path.join(folder, "a"), "one");
      const hashes = new FileHashes([await openFile("a")], mergeThreads(0));
      await appendFile(path.join(folder, "a"), "more");
      await assert.rejects(
        hashes.take(),
        new Error('Cannot merge "a": expected the file to stay as it was, it has changed while it was read'),
      );
    }),
  );

  it(
    "FileHashes reads anew where what is remembered can't be read, and does without a cache that can't be written",
    inFolder(async () => {
      await writeFile(path.join(folder, "a"), "one");
      await mkdir(path.dirname(hashCacheFile()), { recursive: true });
      for (const damaged of ["{", "[]", '{"x":null}', '{"x":{"sha256":"no"}}']) {
        await writeFile(hashCacheFile(), damaged);
        assert.equal(await findHash(await state("a")), undefined);
      }
      await keepHashes([[await state("a"), { sha256: sha256("one"), hashed: "2026-01-02T03:04:05.678Z" }]], LATER);
      assert.equal((await findHash(await state("a")))!.sha256, sha256("one"));
      assert.equal(Object.keys(JSON.parse(await readFile(hashCacheFile(), "utf8")) as object).length, 1);
      process.env["DAMLAB_CACHE"] = path.join(folder, "a");
      await keepHashes([[await state("a"), { sha256: sha256("one"), hashed: "2026-01-02T03:04:05.678Z" }]], LATER);
    }),
  );
});
