// Brings dist up to date with src. No lifecycle hook does it (install scripts are switched off), so whoever needs dist calls this:
//   refresh()                   JavaScript only, file by file, in well under a second: the launcher, before each verb
//   node src/cli/build.cjs      JavaScript and declarations; exit code 1 on a type error: `npm run build`, `start`, `test`, `pack`
// Each output is replaced by a rename, under a lock, so parallel commands neither collide nor read half a file.
"use strict";
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const { dirname, join, relative, sep } = require("node:path");
const { spawnSync } = require("node:child_process");

const ROOT = join(__dirname, "..", "..");
const SRC = join(ROOT, "src");
const DIST = join(ROOT, "dist");
const RECORD = join(DIST, ".build.json");
const LOCK = join(DIST, ".lock");
// This package's own, never one that happens to lie in a folder above.
const TYPESCRIPT = join(ROOT, "node_modules", "typescript");
/** Development scripts, notes, and AssemblyScript, whose compiled form is a source of its own. */
const NOT_BUILT = /\.(cjs|md|as\.ts)$/;
const LOCK_PATIENCE_MS = 180_000;

/** Brings the JavaScript up to date, and the declarations if there are none at all. */
function refresh() {
  const found = survey();
  if (isFresh(found)) return;
  underLock(() => {
    compile(survey());
    if (!fs.existsSync(join(DIST, "index.d.ts"))) declare(survey());
  });
}

/** Brings everything up to date; returns false on a type error. */
function build() {
  return underLock(() => {
    compile(survey());
    return declare(survey());
  });
}

/** Every file of src with its time and size, and a key for all that decides how it is compiled. */
function survey() {
  const files = {};
  for (const entry of fs.readdirSync(SRC, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || NOT_BUILT.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    const { mtimeMs, size } = fs.statSync(path);
    files[relative(SRC, path).split(sep).join("/")] = `${mtimeMs}/${size}`;
  }
  const hash = createHash("sha256");
  for (const path of [__filename, join(ROOT, "tsconfig.json"), join(TYPESCRIPT, "package.json")])
    if (fs.existsSync(path)) hash.update(fs.readFileSync(path));
  return { key: hash.digest("hex"), files };
}

function readRecord() {
  try {
    return JSON.parse(fs.readFileSync(RECORD, "utf8"));
  } catch {
    return { key: "", files: {}, declared: "" };
  }
}

function isFresh({ key, files }) {
  const record = readRecord();
  const names = Object.keys(files);
  return (
    record.key === key && names.length === Object.keys(record.files).length && names.every((name) => record.files[name] === files[name])
  );
}

/** Transpiles what changed, copies what is not TypeScript, removes what is gone, writes the ESM wrappers. */
function compile({ key, files }) {
  const record = readRecord();
  const old = record.key === key ? record.files : {};
  const changed = Object.keys(files).filter((name) => old[name] !== files[name]);
  const removed = Object.keys(record.files).filter((name) => !(name in files));
  if (changed.length + removed.length === 0) return;
  const ts = loadTypeScript();
  const options = readOptions(ts);
  const done = Object.fromEntries(Object.entries(old).filter(([name]) => name in files));
  for (const name of changed) {
    if (transpile(ts, options, name)) done[name] = files[name];
  }
  for (const name of removed) {
    const stem = join(DIST, name.replace(/\.ts$/, ""));
    for (const path of name.endsWith(".ts") ? [".js", ".js.map", ".d.ts"].map((end) => stem + end) : [stem])
      fs.rmSync(path, { force: true });
  }
  writeWrappers(ts, Object.keys(files));
  replaceFile(RECORD, JSON.stringify({ ...record, key, files: done }));
}

function loadTypeScript() {
  try {
    return require(TYPESCRIPT);
  } catch {
    throw new Error(`Cannot build damlab: its development packages are not installed; run "npm ci" in ${ROOT}`);
  }
}

function readOptions(ts) {
  const { config, error } = ts.readConfigFile(join(ROOT, "tsconfig.json"), ts.sys.readFile);
  if (error) throw new Error(`Cannot read tsconfig.json: ${ts.flattenDiagnosticMessageText(error.messageText, " ")}`);
  return ts.convertCompilerOptionsFromJson(config.compilerOptions, ROOT).options;
}

/** Returns false, and keeps the former output, if the source does not parse. */
function transpile(ts, compilerOptions, name) {
  const source = join(SRC, name);
  if (name.endsWith(".d.ts")) return true;
  if (!name.endsWith(".ts")) {
    replaceFile(join(DIST, name), fs.readFileSync(source));
    return true;
  }
  const result = ts.transpileModule(fs.readFileSync(source, "utf8"), { fileName: source, compilerOptions, reportDiagnostics: true });
  const error = result.diagnostics[0];
  if (error) {
    const { line, character } = error.file.getLineAndCharacterOfPosition(error.start);
    const message = ts.flattenDiagnosticMessageText(error.messageText, " ");
    process.stderr.write(`damlab: Cannot build src/${name}:${line + 1}:${character + 1}: ${message}\n`);
    return false;
  }
  const output = join(DIST, name.replace(/\.ts$/, ".js"));
  replaceFile(`${output}.map`, result.sourceMapText);
  replaceFile(output, result.outputText);
  return true;
}

/** One ESM file for the root and one for each room, re-exporting the objects of the CommonJS build. */
function writeWrappers(ts, names) {
  const rooms = names.flatMap((name) => /^(?:([a-z-]+)\/)?index\.ts$/.exec(name)?.[1] ?? (name === "index.ts" ? [""] : []));
  for (const room of rooms) {
    const from = room === "" ? "../index.js" : `../${room}/index.js`;
    const symbols = exportedValues(ts, join(SRC, room, "index.ts"));
    const wrapper = `import room from "${from}";\n` + symbols.map((symbol) => `export const ${symbol} = room.${symbol};\n`).join("");
    replaceFile(join(DIST, "esm", `${room || "index"}.mjs`), wrapper);
    replaceFile(join(DIST, "esm", `${room || "index"}.d.mts`), `export * from "${from}";\n`);
  }
}

/** The names of the values that a module exports; `export * from "./x"` is followed. */
function exportedValues(ts, path) {
  const source = ts.createSourceFile(path, fs.readFileSync(path, "utf8"), ts.ScriptTarget.Latest);
  return source.statements.flatMap((statement) => {
    if (ts.isExportDeclaration(statement)) return statement.isTypeOnly ? [] : namesOf(ts, statement, path);
    if (!statement.modifiers?.some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword)) return [];
    if (ts.isVariableStatement(statement)) return statement.declarationList.declarations.map((declaration) => declaration.name.text);
    return ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement) ? [statement.name.text] : [];
  });
}

function namesOf(ts, { exportClause, moduleSpecifier }, path) {
  if (exportClause && ts.isNamespaceExport(exportClause)) return [exportClause.name.text];
  if (exportClause) return exportClause.elements.filter((element) => !element.isTypeOnly).map((element) => element.name.text);
  const target = join(dirname(path), moduleSpecifier.text);
  return exportedValues(
    ts,
    [`${target}.ts`, join(target, "index.ts")].find((candidate) => fs.existsSync(candidate)),
  );
}

/** Writes the declarations, unless they are those of these very sources; returns false on a type error. */
function declare({ key, files }) {
  const wanted = createHash("sha256")
    .update(JSON.stringify([key, files]))
    .digest("hex");
  const record = readRecord();
  if (record.declared === wanted) return true;
  const tsc = join(TYPESCRIPT, "bin", "tsc");
  const flags = ["-p", join(ROOT, "tsconfig.json"), "--emitDeclarationOnly", "--pretty", "false"];
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, ...flags], { cwd: ROOT, encoding: "utf8" });
  process.stderr.write(stdout + stderr);
  for (const name of Object.keys(files)) if (name.endsWith(".ts")) simplifyTypedArrays(join(DIST, name.replace(/\.ts$/, ".d.ts")));
  if (status === 0) replaceFile(RECORD, JSON.stringify({ ...record, declared: wanted }));
  return status === 0;
}

/** Typed arrays became generic in TypeScript 5.7; tslab's 5.0 rejects the parameter, which no declaration here needs. */
function simplifyTypedArrays(path) {
  if (!fs.existsSync(path)) return;
  const text = fs.readFileSync(path, "utf8");
  const simple = text.replace(/\b(\w+Array|DataView|Buffer)<(ArrayBuffer|ArrayBufferLike)>/g, "$1");
  if (simple !== text) replaceFile(path, simple);
}

function replaceFile(path, content) {
  fs.mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  fs.writeFileSync(temporary, content);
  fs.renameSync(temporary, path);
}

/** Runs one build at a time; a lock left behind by a process that is gone is broken. */
function underLock(work) {
  fs.mkdirSync(DIST, { recursive: true });
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  const deadline = Date.now() + LOCK_PATIENCE_MS;
  for (;;) {
    try {
      fs.writeFileSync(LOCK, String(process.pid), { flag: "wx" });
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
      if (isAbandoned() || Date.now() > deadline) fs.rmSync(LOCK, { force: true });
      else Atomics.wait(sleeper, 0, 0, 50);
    }
  }
  try {
    return work();
  } finally {
    fs.rmSync(LOCK, { force: true });
  }
}

function isAbandoned() {
  try {
    const owner = Number(fs.readFileSync(LOCK, "utf8"));
    if (owner === 0) return false;
    process.kill(owner, 0);
    return false;
  } catch (error) {
    return error.code === "ESRCH";
  }
}

module.exports = { refresh, build };
if (require.main === module) {
  if (process.argv.includes("--clean")) fs.rmSync(DIST, { recursive: true, force: true });
  process.exitCode = build() ? 0 : 1;
}
