import assert from "node:assert/strict";
import { join } from "node:path";
import { ESLint } from "eslint";
import { ROOT } from "./rooms";

/** What the gate says of a source, were it the content of that file. */
async function complaints(eslint: ESLint, file: string, source: string): Promise<string[]> {
  const [result] = await eslint.lintText(source, { filePath: join(ROOT, file) });
  return result!.messages.map(({ ruleId, message }) => (ruleId?.startsWith("house/") ? message : `${ruleId}: ${message}`));
}

describe("eslint.config.mjs", function () {
  this.timeout(120_000);
  // The rules of the house need no types; without them the linter starts fast.
  const typeAware = { "@typescript-eslint/no-floating-promises": "off", "@typescript-eslint/no-misused-promises": "off" } as const;
  const eslint = new ESLint({
    cwd: ROOT,
    overrideConfig: { files: ["src/**/*.ts"], rules: typeAware, languageOptions: { parserOptions: { project: null } } },
  });

  it("lets a room import from the rooms above it only", async () => {
    const cases: [string, string, string[]][] = [
      ["src/merging/index.ts", "../engine/random", []],
      ["src/engine/index.ts", "../merging/ties", ['Room "engine" must not import from "merging": see the list in eslint.config.mjs']],
      ["src/display/index.ts", "../engine/random", ['Room "display" must not import from "engine": see the list in eslint.config.mjs']],
      ["src/kernel/index.ts", "../engine/random", ['Room "kernel" must not import from "engine": see the list in eslint.config.mjs']],
      ["src/kernel/index.ts", "../display/progress", []],
      ["src/kernel/index.ts", "@tensorflow/tfjs-core", ["The kernel never imports TensorFlow"]],
      ["src/cells/index.ts", "../kernel/index", ['Room "cells" must not import from "kernel": see the list in eslint.config.mjs']],
      ["src/cli/main.ts", "../kernel/index", []],
      ["src/index.ts", "./cells/cell", []],
      ["src/cells/index.ts", "damlab/engine", ["Import from the room by a relative path"]],
      ["src/cells/index.ts", "../../bench/case", ['"../../bench/case" is outside of src']],
      [
        "src/tools/index.ts",
        "../engine/random",
        ['Room "tools" is not in the list of rooms', 'Room "tools" must not import from "engine": see the list in eslint.config.mjs'],
      ],
    ];
    for (const [file, source, expected] of cases) {
      assert.deepEqual(await complaints(eslint, file, `export { something } from "${source}";\n`), expected, `${file} imports ${source}`);
    }
  });

  it("asks for a docstring on each export, and for no any", async () => {
    assert.deepEqual(await complaints(eslint, "src/cells/index.ts", "export const one = 1;\n"), ["An export needs a docstring"]);
    assert.deepEqual(await complaints(eslint, "src/cells/index.ts", "/** One. */\nexport const one = 1;\n"), []);
    assert.match((await complaints(eslint, "src/cells/index.ts", "/** One. */\nexport const one: any = 1;\n")).join(), /no-explicit-any/);
  });
});
