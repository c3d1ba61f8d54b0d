import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const ROOT = resolve(__dirname, "..", "..");

/** A package of two files under our launcher and our build: what it prints is what it was built from. */
function makePackage(): string {
  const folder = mkdtempSync(join(tmpdir(), "damlab-build-"));
  mkdirSync(join(folder, "src", "cli"), { recursive: true });
  for (const file of ["tsconfig.json", "src/cli/damlab.cjs", "src/cli/build.cjs"]) copyFileSync(join(ROOT, file), join(folder, file));
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"), "junction");
  writeFileSync(join(folder, "src", "index.ts"), 'export { type Word } from "./word";\nexport * from "./word";\n');
  writeFileSync(join(folder, "src", "word.ts"), 'export type Word = string;\nexport const word: Word = "first";\n');
  writeFileSync(
    join(folder, "src", "cli", "main.ts"),
    'import { word } from "../index";\nexport async function main(): Promise<void> {\n  process.stdout.write(word);\n}\n',
  );
  return folder;
}

function launch(folder: string) {
  return spawnSync(process.execPath, [join(folder, "src", "cli", "damlab.cjs")], { encoding: "utf8" });
}

describe("damlab.cjs", () => {
  let folder: string;
  beforeEach(() => (folder = makePackage()));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("builds what is missing, with declarations and an ESM wrapper", () => {
    assert.deepEqual([launch(folder).stdout, launch(folder).stdout], ["first", "first"]);
    assert.match(readFileSync(join(folder, "dist", "index.d.ts"), "utf8"), /Word/);
    const wrapper = readFileSync(join(folder, "dist", "esm", "index.mjs"), "utf8");
    assert.equal(wrapper, 'import room from "../index.js";\nexport const word = room.word;\n');
  });

  it("builds again what changed, and forgets what is gone", () => {
    launch(folder);
    writeFileSync(join(folder, "src", "word.ts"), 'export type Word = string;\nexport const word: Word = "second";\n');
    writeFileSync(join(folder, "src", "extra.txt"), "text");
    assert.equal(launch(folder).stdout, "second");
    assert.ok(existsSync(join(folder, "dist", "extra.txt")));
    rmSync(join(folder, "src", "extra.txt"));
    launch(folder);
    assert.ok(!existsSync(join(folder, "dist", "extra.txt")));
  });

  it("keeps the former output of a file that does not parse, and says where", () => {
    launch(folder);
    writeFileSync(join(folder, "src", "word.ts"), "export const word = (;\n");
    const { stdout, stderr } = launch(folder);
    assert.equal(stdout, "first");
    assert.match(stderr, /^damlab: Cannot build src\/word\.ts:1:22: Expression expected\.?\n$/);
  });

  it("builds once for commands that start together", async () => {
    const children = Array.from({ length: 4 }, () => spawn(process.execPath, [join(folder, "src", "cli", "damlab.cjs")]));
    const outputs = await Promise.all(
      children.map(async (child) => {
        let text = "";
        child.stdout.on("data", (chunk) => (text += String(chunk)));
        child.stderr.on("data", (chunk) => (text += String(chunk)));
        await once(child, "close");
        return text;
      }),
    );
    assert.deepEqual(outputs, ["first", "first", "first", "first"]);
    assert.deepEqual(
      readdirSync(join(folder, "dist")).filter((name) => /\.tmp$|\.lock$/.test(name)),
      [],
    );
  });

  it("breaks the lock of a process that is gone", () => {
    mkdirSync(join(folder, "dist"));
    const { pid } = spawnSync(process.execPath, ["-e", ""]);
    writeFileSync(join(folder, "dist", ".lock"), String(pid));
    assert.equal(launch(folder).stdout, "first");
  });

  it("says what to do where the development packages are missing", () => {
    rmSync(join(folder, "node_modules"));
    const { status, stderr } = launch(folder);
    assert.equal(status, 1);
    assert.match(stderr, /^damlab: Cannot build damlab: its development packages are not installed; run "npm ci" in .*\n$/);
  });
});

describe("build.cjs", () => {
  it("ends with 1 on a type error, after writing the JavaScript", () => {
    const folder = makePackage();
    writeFileSync(join(folder, "src", "word.ts"), 'export type Word = number;\nexport const word: Word = "first";\n');
    const { status, stderr } = spawnSync(process.execPath, [join(folder, "src", "cli", "build.cjs")], { encoding: "utf8" });
    assert.equal(status, 1);
    assert.match(stderr, /src\/word\.ts\(2,14\): error TS2322/);
    assert.equal(launch(folder).stdout, "first");
    rmSync(folder, { recursive: true, force: true });
  });
});
