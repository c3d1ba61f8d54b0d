import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { skipBecause } from "../skip";
import { manifest, ROOT, rooms, specifiers } from "./rooms";
import { assertTslabImports } from "./tslab";

const UNREACHED = /ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|ENETUNREACH|ERR_SOCKET_TIMEOUT|ENOTCACHED/;

/** Runs npm as in a folder that has nothing to do with this one: `npm test` hands its own settings down by the environment. */
function npm(folder: string, args: readonly string[]): { status: number | null; text: string } {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(config_(ignore|omit)|package|lifecycle)_/i.test(name)),
  );
  const { status, stdout, stderr } = spawnSync("npm", args, { cwd: folder, env, encoding: "utf8", shell: process.platform === "win32" });
  return { status, text: stdout + stderr };
}

function node(folder: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stdout;
}

/** What git has of this tree and what it would take in: a clone, and the changes since. */
function copyTree(to: string): boolean {
  const listed = spawnSync("git", ["ls-files", "-co", "--exclude-standard", "-z"], { cwd: ROOT, encoding: "utf8", maxBuffer: 2 ** 26 });
  if (listed.status !== 0) return false;
  for (const name of listed.stdout.split("\0")) {
    if (name === "" || !existsSync(join(ROOT, name))) continue;
    mkdirSync(dirname(join(to, name)), { recursive: true });
    cpSync(join(ROOT, name), join(to, name));
  }
  symlinkSync(join(ROOT, "node_modules"), join(to, "node_modules"), "junction");
  return true;
}

describe("package.json", () => {
  it("exports each room, for Node and for compilers that ignore exports", () => {
    assert.deepEqual(
      rooms.filter((room) => !(`./${room}` in manifest.exports) || !(room in manifest.typesVersions["*"])),
      [],
    );
  });
});

describe("notebooks/", () => {
  it("resolves and type-checks damlab and every subpath in stock tslab", function () {
    this.timeout(120_000);
    assertTslabImports(join(ROOT, "notebooks"));
  });
});

describe("npm run pack", function () {
  this.timeout(400_000);
  const scratch = mkdtempSync(join(tmpdir(), "damlab-pack-"));
  const clone = join(scratch, "clone");
  const user = join(scratch, "user");
  let tarball = "";

  before(function () {
    mkdirSync(clone);
    // Without a folder of its own here, npm would install into the nearest parent that has one.
    mkdirSync(join(user, "node_modules"), { recursive: true });
    if (!copyTree(clone)) skipBecause(this, "this tree is not a git checkout, so what a clone holds is not known");
    const packed = npm(clone, ["run", "pack", "--", "--pack-destination", scratch]);
    assert.equal(packed.status, 0, packed.text);
    tarball = join(scratch, `damlab-${manifest.version}.tgz`);
  });

  after(() => rmSync(scratch, { recursive: true, force: true }));

  it("packs the build, the launcher and the models, and nothing else", () => {
    const { stdout } = spawnSync("tar", ["-tzf", tarball], { encoding: "utf8" });
    const files = stdout
      .trim()
      .split("\n")
      .map((path) => path.replace(/^package\//, ""));
    const expected = ["package.json", "README.md", "src/cli/damlab.cjs", "dist/index.js", "dist/index.d.ts", "dist/cli/main.js"];
    expected.push(
      ...rooms.flatMap((room) => [`dist/${room}/index.js`, `dist/${room}/index.d.ts`, `dist/esm/${room}.mjs`, `dist/esm/${room}.d.mts`]),
    );
    assert.deepEqual(
      expected.filter((path) => !files.includes(path)),
      [],
    );
    assert.deepEqual(
      files.filter(
        (path) =>
          !/^(package\.json|README\.md|LICENSE|src\/(cli\/damlab|engine\/workerEntry)\.cjs|(dist|data|kernel-setup)\/.*)$/.test(path),
      ),
      [],
    );
    assert.deepEqual(
      files.filter((path) => /node_modules|\.tgz$|\.test\.|\/\.(build|lock|tsbuildinfo)/.test(path)),
      [],
    );
  });

  it("declares its types in words that the TypeScript of tslab (5.0) knows", () => {
    assert.equal(node(clone, [join(__dirname, "tslabDeclarations.cjs"), join(clone, "dist")]), "");
  });

  describe("installed in an empty folder", () => {
    before(function () {
      const { status, text } = npm(user, ["install", tarball, "--prefer-offline", "--no-audit", "--no-fund"]);
      if (status !== 0 && UNREACHED.test(text)) skipBecause(this, "the npm registry cannot be reached");
      assert.equal(status, 0, text);
    });

    it("leaves the optional companions out", () => {
      const installed = readdirSync(join(user, "node_modules"));
      assert.ok(installed.includes("damlab"));
      assert.ok(!installed.includes("danfojs-node") && !existsSync(join(user, "node_modules", "@tensorflow", "tfjs-node-gpu")));
    });

    it("imports from CommonJS and from ESM the same objects", () => {
      const source = `
        import { createRequire } from "node:module";
        const require = createRequire(${JSON.stringify(join(user, "index.js"))});
        const counts = [];
        for (const specifier of ${JSON.stringify(specifiers)}) {
          const [esm, cjs] = [await import(specifier), require(specifier)];
          for (const name of Object.keys(cjs)) if (esm[name] !== cjs[name]) throw new Error(specifier + " " + name);
          if (Object.keys(esm).length !== Object.keys(cjs).length) throw new Error(specifier + ": " + Object.keys(esm));
          counts.push(Object.keys(cjs).length);
        }
        console.log(JSON.stringify(counts)); process.exit(0);`;
      const counts = JSON.parse(node(user, ["--input-type=module", "-e", source])) as number[];
      assert.deepEqual(counts.map((count, index) => (count > 0 ? "" : specifiers[index])).join(""), "");
    });

    it("runs the command, which computes on the embedded engine", () => {
      const launcher = join(user, "node_modules", "damlab", "src", "cli", "damlab.cjs");
      const diagnosis = JSON.parse(node(user, [launcher, "doctor", "--json"])) as { engine: string; damlab: string };
      assert.deepEqual([diagnosis.damlab, typeof diagnosis.engine], [manifest.version, "string"]);
    });

    it("imports in stock tslab, type-checked", () => assertTslabImports(user));

    it("has types for programs that are CommonJS and ESM modules", () => {
      const uses = specifiers.map((specifier, index) => `import * as room${index} from "${specifier}";\nvoid room${index};`).join("\n");
      const draw = '\nimport { randomStream } from "damlab/engine";\nexport const word: number = randomStream(0).word();\n';
      for (const file of ["program.cts", "program.mts"]) writeFileSync(join(user, file), uses + draw);
      const compilerOptions = { noEmit: true, strict: true, skipLibCheck: true, module: "node16", target: "es2022", types: [] };
      writeFileSync(join(user, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["program.cts", "program.mts"] }));
      const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
      assert.equal(spawnSync(process.execPath, [tsc, "-p", user], { encoding: "utf8" }).stdout, "");
    });
  });
});
