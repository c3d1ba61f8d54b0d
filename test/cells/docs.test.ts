import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { configureCells, ResultCache } from "../../src/cells";
import { silentProgress } from "../../src/display/progress";
import type { norms, walk } from "./fixtures/documentedCells";

describe("docs/cells.md", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "damlab-docs-"));
    configureCells({ cache: new ResultCache(folder), progress: silentProgress });
  });
  after(() => rm(folder, { recursive: true }));

  /** Loads the n-th `ts` block as a module; "damlab" stands for the sources. */
  async function block(index: number): Promise<Record<string, unknown>> {
    const text = await readFile(path.join(__dirname, "..", "..", "docs", "cells.md"), "utf8");
    const code = [...text.matchAll(/^```ts\n(.*?)^```/gms)][index]![1]!;
    const file = path.join(folder, `block${index}.ts`);
    await writeFile(file, code.replace('"damlab"', JSON.stringify(path.join(__dirname, "..", "..", "src", "cells"))));
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    return require(file) as Record<string, unknown>;
  }

  it("its cells are those whose types are checked", async () => {
    const text = await readFile(path.join(__dirname, "..", "..", "docs", "cells.md"), "utf8");
    const checked = await readFile(path.join(__dirname, "fixtures", "documentedCells.ts"), "utf8");
    const cells = [...text.matchAll(/^export const .*?^}\);$/gms)].map(([code]) => code);
    assert.equal(cells.length, 2);
    for (const code of cells) assert.ok(checked.includes(code), `expected in documentedCells.ts: ${code}`);
  });

  it("the cell of ten lines runs as written", async () => {
    const cell = (await block(0))["norms"] as typeof norms;
    const result = await cell(new Map([["w", { values: Float32Array.of(3, 4) }]]), { factor: 2 });
    // 2 · √(9 + 16).
    assert.deepEqual(result.norms, { w: 10 });
    assert.equal(cell.help().parameters[0]!.default, "1");
  });

  it("the long cell runs as written", async () => {
    const cell = (await block(1))["walk"] as typeof walk;
    // 1 + 1/2 + 1/3 + 1/4.
    assert.ok(Math.abs((await cell({ steps: 4 })).sum - 25 / 12) < 1e-12);
  });
});
