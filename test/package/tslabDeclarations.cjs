// Standard output: what the TypeScript of tslab says of the declarations in a folder. Those of other packages are theirs to keep.
"use strict";
const { readdirSync } = require("node:fs");
const { join, relative } = require("node:path");
const ts = require("@tslab/typescript-for-tslab");

const folder = process.argv[2];
const names = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".d.ts"));
const program = ts.createProgram(
  names.map((name) => join(folder, name)),
  {
    noEmit: true,
    esModuleInterop: true,
    module: ts.ModuleKind.CommonJS,
    moduleResolution: ts.ModuleResolutionKind.Node10,
    target: ts.ScriptTarget.ES2022,
    types: ["node"],
  },
);
for (const name of names) {
  const file = program.getSourceFile(join(folder, name));
  for (const { messageText } of [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]) {
    console.log(`${relative(folder, file.fileName)}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`);
  }
}
