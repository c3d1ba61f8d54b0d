import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TestKernel } from "./client";

describe("kernel language", () => {
  let kernel: TestKernel;
  before(async () => (kernel = await TestKernel.start()));
  after(() => kernel.stop());

  /** Runs cells and returns the last result; each must succeed. */
  async function results(...cells: string[]): Promise<(string | undefined)[]> {
    const found: (string | undefined)[] = [];
    for (const cell of cells) {
      const { reply, result } = await kernel.execute(cell);
      assert.equal(reply.content.status, "ok", reply.content.evalue);
      found.push(result);
    }
    return found;
  }

  function writePackage(name: string, files: Readonly<Record<string, string>>): void {
    const folder = join(kernel.folder, "node_modules", name);
    mkdirSync(folder, { recursive: true });
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  }

  it("names live on, are assigned by later cells, and closures see it", async () => {
    assert.deepEqual(
      await results("let n = 1;\nfunction next() { return ++n; }", "n = 10; null", "next()", "n", "[n, n] = [n + 1, 0]; n += 5; n"),
      [undefined, "null", "11", "11", "5"],
    );
  });

  it("names are declared anew, with another type", async () => {
    assert.deepEqual(await results("const again = 1;", "const again = 'text';", "again.toUpperCase()"), [undefined, undefined, "'TEXT'"]);
    assert.deepEqual(await results("class Shape { area = 1 }", "class Shape { side = 2 }", "new Shape().side"), [
      undefined,
      undefined,
      "2",
    ]);
  });

  it("types, interfaces, enums and generics cross cells", async () => {
    const declare = "interface Point { x: number }\ntype Pair<T> = [T, T];\nenum Colour { Red, Green }\nconst shorthand = 1;";
    const use =
      "const pair: Pair<Point> = [{ x: 1 }, { x: 2 }];\n({ sum: pair[0].x + pair[1].x, colour: Colour[Colour.Green], shorthand })";
    assert.deepEqual(await results(declare, use), [undefined, "{ sum: 3, colour: 'Green', shorthand: 1 }"]);
  });

  it("types that were imported live on", async () => {
    writeFileSync(join(kernel.folder, "shapes.ts"), "export interface Box { side: number }\nexport const unit: Box = { side: 1 };");
    await results(
      'import { Box, unit } from "./shapes";\nimport { type PathLike } from "node:fs";',
      "const box: Box = { ...unit, side: 2 };",
    );
    assert.equal((await kernel.execute('const wrong: Box = { side: "2" };')).reply.content.ename, "TS2322");
    assert.equal((await kernel.execute("const path: PathLike = 3;")).reply.content.ename, "TS2322");
  });

  it("a variable without a type has that of what is put there", async () => {
    const list = "const list = [];\nfor (const n of [1, 2]) list.push(n);\nlist";
    assert.deepEqual(await results(list, "list.push(3); list", "let best = null;", "best = { score: 1 }; best.score"), [
      "[ 1, 2 ]",
      "[ 1, 2, 3 ]",
      undefined,
      "1",
    ]);
    const callback = "let resolve;\nconst settled = new Promise((r) => { resolve = r; });\nresolve(4);\nawait settled";
    assert.deepEqual(await results(callback, "const get = (key, { deep }) => [key, deep]; get(1, { deep: 2 })"), ["4", "[ 1, 2 ]"]);
  });

  it("a constant of an earlier cell can't be assigned, and is not called an import", async () => {
    await kernel.execute("const fixed = 1;");
    const { content } = (await kernel.execute("fixed = 2")).reply;
    assert.deepEqual([content.ename, content.evalue], ["TS2588", "Cannot assign to 'fixed' because it is a constant."]);
  });

  it("a cell may await at its top, also in destructuring and loops", async () => {
    const code =
      "const [a, { b }] = await Promise.all([1, Promise.resolve({ b: 2 })]);\nfor await (const c of [Promise.resolve(3)]) console.log(a + b + c);";
    assert.equal((await kernel.execute(code)).stdout, "6\n");
    assert.deepEqual(await results("a + b"), ["3"]);
  });

  it("a cell that fails keeps the names that it reached, and the former value of those it did not", async () => {
    await results("const old = 'former';");
    await kernel.execute("const reached = 1;\nthrow new Error();\nconst old = 'new';");
    assert.deepEqual(await results("[reached, old]"), ["[ 1, 'former' ]"]);
  });

  it("imports Node's modules, CommonJS, ES modules, and packages that are ES modules only", async () => {
    writePackage("common", {
      "index.js": "module.exports = { kind: 'common', add: (a, b) => a + b };",
      "index.d.ts": "export const kind: string; export function add(a: number, b: number): number;",
    });
    writePackage("modern", {
      "package.json": JSON.stringify({ name: "modern", type: "module", exports: { import: "./index.js", types: "./index.d.ts" } }),
      "index.js": "export default 'default'; export const kind = await Promise.resolve('modern');",
      "index.d.ts": "declare const value: string; export default value; export const kind: string;",
    });
    const code = `import { basename } from "node:path";
      import common, { add } from "common";
      import fallback, { kind as modernKind } from "modern";
      import * as everything from "modern";
      [basename("/a/b"), common.kind, add(1, 2), fallback, modernKind, everything.kind]`;
    assert.deepEqual(await results(code), ["[ 'b', 'common', 3, 'default', 'modern', 'modern' ]"]);
    assert.deepEqual(await results("basename('/c/d') + add(3, 4)", '(await import("modern")).kind'), ["'d7'", "'modern'"]);
  });

  it("imports local TypeScript, with and without its suffix, and anew when it has changed", async () => {
    writeFileSync(join(kernel.folder, "inner.ts"), "export const value: number = 1;");
    writeFileSync(join(kernel.folder, "outer.ts"), 'import { value } from "./inner";\nexport const double = (): number => 2 * value;');
    assert.deepEqual(await results('import { double } from "./outer";\ndouble()'), ["2"]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    writeFileSync(join(kernel.folder, "inner.ts"), "export const value: number = 21;");
    assert.deepEqual(await results('import { double } from "./outer.ts";\ndouble()'), ["42"]);
  });

  it("imports local JavaScript of either kind and JSON, and anew when it has changed", async () => {
    const write = (factor: number): void => {
      writeFileSync(join(kernel.folder, "factor.js"), `"sloppy"; exports.factor = ${factor};`);
      writeFileSync(join(kernel.folder, "times.js"), 'import { factor } from "./factor.js";\nexport const times = (n) => factor * n;');
      writeFileSync(join(kernel.folder, "late.mjs"), `export const late = await Promise.resolve(${factor});`);
      writeFileSync(join(kernel.folder, "settings.json"), JSON.stringify({ factor }));
    };
    const cell = `import { times } from "./times.js";
      import { times as again } from "./times";
      import { late } from "./late.mjs";
      import settings from "./settings.json";
      [times(2), again(2), late, settings.factor, settings === (await import("./settings.json")).default]`;
    write(3);
    assert.deepEqual(await results(cell), ["[ 6, 6, 3, 3, true ]"]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    write(5);
    assert.deepEqual(await results(cell), ["[ 10, 10, 5, 5, true ]"]);
  });

  it("a local module keeps its state while it is unchanged, and knows import.meta", async () => {
    writeFileSync(
      join(kernel.folder, "counter.ts"),
      "let count = 0;\nexport const next = (): number => ++count;\nexport const { dirname } = import.meta;",
    );
    const cell = 'import { dirname, next } from "./counter";\n[next(), dirname === __dirname]';
    assert.deepEqual(await results(cell, cell), ["[ 1, true ]", "[ 2, true ]"]);
  });

  it("an error in a local module names its TypeScript line", async () => {
    writeFileSync(
      join(kernel.folder, "failing.ts"),
      "interface Unused {\n  a: number;\n}\nexport function fail(): never {\n  throw new Error('deep');\n}",
    );
    const { reply } = await kernel.execute('import { fail } from "./failing";\n\nfail();');
    const traceback = reply.content.traceback.join("\n");
    assert.match(traceback, /failing\.ts:5:9/);
    assert.match(traceback, /In\[\d+\]:3:1/);
  });

  it("a local module that is no TypeScript is an error of the cell that needs it, at the module's line", async () => {
    writeFileSync(join(kernel.folder, "broken.ts"), "export const fine = (): number => 1;");
    assert.deepEqual(await results('import { fine } from "./broken";\nfine()'), ["1"]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    writeFileSync(join(kernel.folder, "broken.ts"), "export const fine = (): number => 1;\nexport const = 2;");
    const { reply } = await kernel.execute('import { fine } from "./broken";\nfine()');
    assert.equal(reply.content.ename, "TS1134");
    const shown = reply.content.traceback.join("\n");
    assert.match(shown, /at broken\.ts:2:14\n/);
    assert.match(shown, /export const = 2;/);
    assert.deepEqual(await results("1 + 1"), ["2"]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    writeFileSync(join(kernel.folder, "broken.ts"), "export const fine = (): number => 3;");
    assert.deepEqual(await results('import { fine } from "./broken";\nfine()'), ["3"]);
  });

  it("an import of types only is no import at run time", async () => {
    writeFileSync(join(kernel.folder, "shapes.ts"), "console.log('loaded');\nexport interface Box { side: number }");
    const { stdout, result } = await kernel.execute('import { Box } from "./shapes";\nconst box: Box = { side: 3 };\nbox.side');
    assert.deepEqual([stdout, result], ["", "3"]);
  });

  it("require, __dirname and import.meta are those of the notebook's folder", async () => {
    const { result } = await kernel.execute(
      '[require("node:path").basename(__filename), __dirname === process.cwd(), import.meta.dirname === __dirname]',
    );
    assert.equal(result, "[ 'notebook.ts', true, true ]");
  });

  it("completes names of the session, members and paths, by code points", async () => {
    await results("const greeting = '👋';\nconst shapes = { circle: 1, square: 2 };");
    const complete = async (code: string) =>
      (await kernel.request("complete_request", { code, cursor_pos: [...code].length })).reply.content;
    assert.deepEqual((await complete("shapes.")).matches, ["circle", "square"]);
    const { matches, cursor_start, cursor_end, metadata } = await complete("'👋👋'; greet");
    assert.deepEqual([matches, cursor_start, cursor_end], [["greeting"], 6, 11]);
    assert.match(metadata._jupyter_types_experimental[0].signature, /const greeting: string|"👋"/);
  });

  it("inspects libraries with the comments of their authors, also inside a declaration", async () => {
    const inspected = async (code: string, detail_level: number): Promise<string> => {
      const { reply } = await kernel.request("inspect_request", { code, cursor_pos: code.length, detail_level });
      return String(reply.content.data["text/plain"]);
    };
    assert.match(await inspected("[1].map", 0), /Calls a defined callback function on each element of an array/);
    const timers = await inspected("setTimeout", 1);
    assert.match(timers, /Schedules/);
    assert.doesNotMatch(timers, /#\d+/);
    const whole = await inspected("JSON", 1);
    assert.match(whole, /\/\*\*\s+\* Converts a JavaScript Object Notation \(JSON\) string into an object\./);
    assert.doesNotMatch(whole, /#\d+/);
  });

  it("inspects with types and documentation", async () => {
    await results("/** Adds up. @param a first */\nfunction add2(a: number, b: number): number { return a + b; }");
    const { reply } = await kernel.request("inspect_request", { code: "add2(", cursor_pos: 5, detail_level: 0 });
    assert.match(reply.content.data["text/plain"], /add2\(a: number, b: number\): number\n\nAdds up/);
    const library = await kernel.request("inspect_request", { code: "JSON.parse", cursor_pos: 10, detail_level: 0 });
    assert.match(library.reply.content.data["text/markdown"], /Converts a JavaScript Object Notation/);
    const nothing = await kernel.request("inspect_request", { code: "   ", cursor_pos: 1, detail_level: 0 });
    assert.equal(nothing.reply.content.found, false);
  });

  it("is_complete_request tells complete, incomplete and invalid apart", async () => {
    const table = {
      complete: ["1 + 1", "class A { x = 1 }", "await p", ""],
      incomplete: ["function f() {", "const s = `open", "[1, 2,", "const x ="],
      invalid: ["const = 3", ") foo", "const 1x = 2", "'open"],
    };
    for (const [status, codes] of Object.entries(table))
      for (const code of codes) assert.equal((await kernel.request("is_complete_request", { code })).reply.content.status, status, code);
    assert.equal((await kernel.request("is_complete_request", { code: "  if (a) {" })).reply.content.indent, "    ");
  });

  it("completes names of modules as a whole, and says what a name of an earlier cell is", async () => {
    await kernel.execute("function completed(n: number): number { return n; }");
    const complete = async (code: string) => (await kernel.request("complete_request", { code, cursor_pos: code.length })).reply.content;
    const path = await complete('import "node:f');
    assert.deepEqual([path.matches[0], path.cursor_start, path.cursor_end], ["node:fs", 8, 14]);
    const [{ type, signature }] = (await complete("comple")).metadata._jupyter_types_experimental;
    assert.deepEqual([type, signature], ["function", "function completed(n: number): number"]);
    const { reply } = await kernel.request("inspect_request", { code: "unheardOf", cursor_pos: 3, detail_level: 0 });
    assert.equal(reply.content.found, false);
  });

  it("completes magics at the top of a cell, and the engines that there are", async () => {
    const complete = async (code: string) => {
      const { matches, cursor_start, cursor_end } = (await kernel.request("complete_request", { code, cursor_pos: [...code].length })).reply
        .content;
      return [matches, cursor_start, cursor_end];
    };
    assert.deepEqual(await complete("%ti"), [["time", "timeit"], 1, 3]);
    assert.deepEqual(await complete("// 👋\n%notype"), [["notypecheck"], 6, 12]);
    assert.deepEqual(await complete("%engine w"), [["wasm"], 8, 9]);
    assert.deepEqual((await complete("%time JSON.par"))[0], ["parse"]);
    assert.deepEqual((await complete("const timelyName = 4;\n5 %timelyN"))[0], ["timelyName"]);
  });

  it("incomplete code is indented within brackets; a magic is no indent", async () => {
    const indent = async (code: string) => (await kernel.request("is_complete_request", { code })).reply.content.indent;
    assert.deepEqual(await Promise.all(["[1, 2,", "%time f(", "  f({ a: 1,", "const s = '(' +"].map(indent)), ["  ", "  ", "    ", ""]);
  });

  it("magics time cells, set the environment and help", async () => {
    assert.match((await kernel.execute("%time\n1 + 1")).stdout, /^Time: [\d.]+ (µs|ms)\n$/);
    assert.match((await kernel.execute("%timeit 1 + 1")).stdout, /a run \(mean/);
    assert.deepEqual(await results("%env DAMLAB_TEST_COLOUR=blue", "process.env.DAMLAB_TEST_COLOUR"), [undefined, "'blue'"]);
    assert.match((await kernel.execute("%help")).stdout, /%notypecheck/);
  });

  // The last one, because those that come after it would get what it declares.
  it("a cell may declare a require of its own", async () => {
    const code =
      'import { createRequire } from "node:module";\nconst require = createRequire(import.meta.url);\ntypeof require("node:fs").existsSync';
    assert.deepEqual(await results(code, 'const __dirname = "here"; __dirname'), ["'function'", "'here'"]);
  });
});
