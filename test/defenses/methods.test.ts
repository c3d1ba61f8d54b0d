import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { allMethods } from "../../src/defenses";
import { methodsPage, METHODS_PAGE } from "./writeMethodsPage";

describe("allMethods", () => {
  it("allMethods holds complete rows: schema, defaults and one text an option", () => {
    const names = [
      "average",
      "task_arithmetic",
      "ties",
      "adamerging",
      "adamerging_taskwise",
      "concrete_task_arithmetic",
      "concrete_adamerging",
      "dam",
      "purify",
    ];
    assert.deepEqual([...allMethods.keys()], names);
    for (const { name, options, defaults, texts, reference } of allMethods.values()) {
      assert.deepEqual(options.parse({}), defaults, name);
      assert.deepEqual(Object.keys(texts).sort(), Object.keys(defaults).sort(), name);
      assert.match(reference, /arXiv:\d{4}\.\d{5}|docs\/\w+\.md/);
    }
  });

  it("docs/methods.md says what the table says", async () => {
    const remedy = "docs/methods.md is stale: node --require tsx/cjs test/defenses/writeMethodsPage.ts writes it anew";
    assert.ok((await readFile(METHODS_PAGE, "utf8")) === (await methodsPage()), remedy);
  });
});
