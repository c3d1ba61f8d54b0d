import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { readClaims, writeClaims } from "../../src/cli/claims";
import { type Notebook, parseNotebook } from "../../src/kernel/run/notebook";
import { injectParameters } from "../../src/kernel/run/parameters";
import { codeCells, faultsOfForm, faultsOfOutputs, unfoundedNumbers } from "./checks";
import { skipBecause } from "../skip";
import { folderOf, runInTslab } from "./tslab";

const ROOT = join(__dirname, "..", "..");
const FOLDER = join(ROOT, "notebooks");
const paths = readdirSync(FOLDER, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ipynb") && !file.includes(".ipynb_checkpoints"))
  .sort();

function read(path: string): Notebook {
  return parseNotebook(readFileSync(join(FOLDER, path), "utf8"), path);
}

function notebookOf(cells: readonly { cell_type: string; source: string; outputs?: unknown[] }[]): Notebook {
  const filled = cells.map((cell, index) => ({ id: `c${index}`, metadata: {}, execution_count: null, ...cell }));
  return { nbformat: 4, nbformat_minor: 5, metadata: {}, cells: filled as Notebook["cells"] };
}

describe("faultsOfForm()", () => {
  const faults = (source: string): string[] => faultsOfForm(notebookOf([{ cell_type: "code", source, outputs: [] }]));

  it("finds cells of more than 15 lines", () => {
    assert.deepEqual(faults(Array(15).fill("1;").join("\n")), []);
    assert.deepEqual(faults(Array(16).fill("1;").join("\n")), ["code cell 1 has 16 lines"]);
  });

  it("finds bodies of functions and classes", () => {
    assert.equal(faults("const f = (x: number) => x;").length, 1);
    assert.equal(faults("function f() {}").length, 1);
    assert.equal(faults("for (const x of [1]) console.log(x);").length, 0);
  });
});

describe("unfoundedNumbers()", () => {
  const prose = (source: string) => notebookOf([{ cell_type: "markdown", source }, CODE]);
  const CODE = {
    cell_type: "code",
    source: "const scaling = 0.3;",
    outputs: [{ output_type: "stream", name: "stdout", text: ["ACC 61.2\n"] }],
  };

  it("finds numbers that stand in no output and no code", () => {
    assert.deepEqual(unfoundedNumbers(prose("ACC is 61.2 at 0.3, not 61.3.")), ["61.3"]);
  });

  it("takes from a quotation only what the paper is known to say", () => {
    assert.deepEqual(unfoundedNumbers(prose("> ASR above 70 % and 83.4 %")), ["83.4"]);
  });

  it("leaves names and links alone", () => {
    assert.deepEqual(unfoundedNumbers(prose("# 02 · M1 of Figure 2 and RESISC45, see [06-tradeoff](a/06.ipynb)")), []);
  });
});

describe("notebooks", () => {
  it("are the quickstart, that for own models, the figures 01 to 07, and what goes beyond", () => {
    assert.deepEqual(
      paths.filter((path) => path.startsWith("figures")).map((path) => path.slice(8, 10)),
      ["01", "02", "03", "04", "05", "06", "07", "be"],
    );
    assert.ok(paths.includes("quickstart.ipynb") && paths.includes("your-own-models.ipynb"));
  });

  it("together weigh less than 20 MB", () => {
    const bytes = paths.reduce((sum, path) => sum + statSync(join(FOLDER, path)).size, 0);
    assert.ok(bytes < 20e6, `${bytes} bytes`);
  });

  for (const path of paths) {
    it(`${path} is short, only calls the library, and has a cell of parameters`, () => {
      const notebook = read(path);
      assert.deepEqual(faultsOfForm(notebook), []);
      assert.ok(codeCells(notebook)[0]!.metadata["tags"], "the first code cell is tagged");
    });

    it(`${path} states only numbers that it measured or set, or that the paper is known to say`, () => {
      assert.deepEqual(unfoundedNumbers(read(path)), []);
    });

    it(`${path} carries the outputs of a full run, each figure in all formats`, function () {
      const notebook = read(path);
      if (codeCells(notebook).every(({ outputs = [] }) => outputs.length === 0)) skipBecause(this, "not yet run in full");
      assert.deepEqual(faultsOfOutputs(notebook), []);
    });
  }

  it("your-own-models.ipynb runs in stock tslab", async function () {
    this.timeout(120_000);
    const folder = mkdtempSync(join(tmpdir(), "damlab-notebook-"));
    try {
      const path = join(FOLDER, "your-own-models.ipynb");
      const notebook = read("your-own-models.ipynb");
      injectParameters(notebook, { results: folder });
      const failure = await runInTslab(notebook, { cwd: folderOf(path), environment: { DAMLAB_CACHE: join(folder, "cache") } });
      assert.equal(failure, undefined, failure?.traceback);
      const figures = codeCells(notebook).flatMap(({ outputs = [] }) =>
        outputs.filter(({ data }) => data && "image/png" in (data as object)),
      );
      assert.equal(figures.length, 3);
      notebook.cells = notebook.cells.filter(({ metadata }) => !JSON.stringify(metadata).includes("injected"));
      assert.deepEqual(faultsOfOutputs(notebook), []);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe("docs/claims.md", () => {
  it("is what `damlab claims` makes of the notebooks", () => {
    const entries = paths.flatMap((path) =>
      readClaims(readFileSync(join(FOLDER, path), "utf8"), path).map((found) => ({
        ...found,
        path: relative(join(ROOT, "docs"), join(FOLDER, path)),
      })),
    );
    assert.equal(readFileSync(join(ROOT, "docs", "claims.md"), "utf8"), writeClaims(entries));
  });
});
