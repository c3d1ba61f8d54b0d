import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import * as ts from "typescript";
import { joinLibraries, withComments } from "../../src/kernel/language/libraries";
import { LanguageSession } from "../../src/kernel/language/session";

describe("libraries of the language service", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), "damlab-libraries-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("joinLibraries() joins scripts and modules with all that they refer to, each once", () => {
    const files = {
      "node_modules/web/index.d.ts": '/// <reference path="plain.d.ts" />\n/// <reference path="augments.d.ts" />\n',
      "node_modules/web/plain.d.ts": '/** Counts. */\ndeclare function count(): import("shapes/lib/circle").Circle;\n',
      "node_modules/web/augments.d.ts":
        'export {};\nimport Shape, { type Circle } from "shapes";\ndeclare global { interface Drawing { shape: Shape; circle: Circle } }\n',
      "node_modules/shapes/package.json": '{ "name": "shapes", "version": "1.0.0", "types": "index.d.ts" }',
      "node_modules/shapes/index.d.ts":
        "export as namespace Shapes;\nexport { Circle } from './lib/circle';\nexport default interface Shape { area: number }\n",
      "node_modules/shapes/lib/circle.d.ts":
        "import Shape = require('..');\nexport interface Circle { radius: number; of: typeof Shape }\n",
    };
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      writeFileSync(path.join(folder, name), text);
    }
    const libraries = joinLibraries("es5", [path.join(folder, "node_modules/web/index.d.ts")]);
    assert.deepEqual([...libraries.modules].sort(), ["shapes", "shapes/lib/circle", "web/augments"]);
    for (const name of ["shapes", "shapes/lib/circle", "web/augments"])
      assert.equal(libraries.text.split(`declare module "${name}"`).length, 2, name);
    assert.doesNotMatch(libraries.text, /from ['"]\.|require\(['"]\.|export as namespace|<reference/);
    assert.match(withComments(libraries.text, libraries), /\/\*\* Counts\. \*\/\ndeclare function count/);

    const uses = "const drawing: Drawing = null!; const n: number = drawing.shape; const r: string = count().radius;";
    const options = { strict: true, types: [], skipLibCheck: true, noEmit: true };
    const host = ts.createCompilerHost(options);
    const { getSourceFile } = host;
    const sources: Record<string, string> = { "/use.ts": uses, [libraries.path]: libraries.text };
    const program = ts.createProgram(["/use.ts"], options, {
      ...host,
      getDefaultLibFileName: () => libraries.path,
      fileExists: (file) => file in sources,
      getSourceFile: (file, ...rest) =>
        file in sources ? ts.createSourceFile(file, sources[file]!, ts.ScriptTarget.ES2022) : getSourceFile.call(host, file, ...rest),
    });
    const errors = program.getSemanticDiagnostics().map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
    assert.deepEqual(errors, ["Type 'Shape' is not assignable to type 'number'.", "Type 'number' is not assignable to type 'string'."]);
  });

  it("a cell's program has few files, with Node's and the web's types in one of them", () => {
    const session = new LanguageSession(folder);
    const errors = (code: string): string => {
      const found = session.compile(1, "In[1]", code);
      return "ename" in found ? found.evalue : "";
    };
    assert.equal(
      errors('const answer = await fetch("x"); const n: number = answer;'),
      "Type 'Response' is not assignable to type 'number'.",
    );
    assert.equal(errors("const n: number = new AbortController().signal;"), "Type 'AbortSignal' is not assignable to type 'number'.");
    assert.equal(errors('const n: number = new Headers().get("a") ?? "";'), "Type 'string' is not assignable to type 'number'.");
    assert.equal(
      errors('import { Agent } from "undici-types"; const n: number = new Agent();'),
      "Type 'Agent' is not assignable to type 'number'.",
    );
    assert.equal(
      errors('const ok: ReadableStream | null = (await fetch("x", { method: "POST", body: new FormData() })).body; ok?.getReader();'),
      "",
    );
    assert.deepEqual(session.complete('import "undici-t', 16)["matches"], []);
    assert.deepEqual(session.complete('import "node:fs/', 16)["matches"], ["promises"]);
  });
});
