import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { makeFolder } from "../../src/checkpoints/makeFolder";
import { skipBecause } from "../skip";

describe("makeFolder()", () => {
  let root = "";
  before(() => {
    root = mkdtempSync(path.join(tmpdir(), "damlab-folder-"));
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  it("makeFolder() makes what is missing, and leaves what is there", () => {
    const deep = path.join(root, "a", "b", "..", "c");
    for (let times = 0; times < 2; times++) makeFolder(deep);
    assert.ok(statSync(path.join(root, "a", "c")).isDirectory());
    symlinkSync(path.join(root, "a"), path.join(root, "link"));
    makeFolder(path.join(root, "link"));
    makeFolder(path.join(root, "link", "d"));
    assert.ok(existsSync(path.join(root, "a", "d")));
  });

  it("makeFolder() says what is in the way", () => {
    writeFileSync(path.join(root, "file"), "");
    assert.throws(() => makeFolder(path.join(root, "file")), /EEXIST/);
    assert.throws(() => makeFolder(path.join(root, "file", "below", "it")), /ENOTDIR/);
  });

  it("makeFolder() ends where the system takes no new names", function () {
    if (!existsSync("/proc/self")) skipBecause(this, "this system has no /proc");
    assert.throws(() => makeFolder("/proc/damlab/share/kernels"), /ENOENT|EACCES|EPERM/);
  });
});
