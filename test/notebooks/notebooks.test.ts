import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { claimsMime } from "../../src/cells";
import { readClaims, writeClaims } from "../../src/cli/claims";
import { type Notebook, parseNotebook } from "../../src/kernel/run/notebook";
import { injectParameters } from "../../src/kernel/run/parameters";
import { codeCells, faultsOfForm, faultsOfOutputs, unfoundedNumbers, unsaidVerdicts } from "./checks";
import { skipBecause } from "../skip";
import { folderOf, runInTslab } from "./tslab";
import { faultsOfTypes } from "./types";

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
    for (const source of ["({ f() { return 1; } });", "({ get f() { return 1; } });", "({ set f(x: number) {} });", "f(function () {});"])
      assert.equal(faults(source).length, 1, source);
    assert.ok(faults("class A { constructor() {} static { f(); } }").length > 0);
    assert.equal(faults("for (const x of [1]) console.log(x);").length, 0);
  });

  it("finds code that comes from elsewhere than the library", () => {
    for (const source of ['import x from "fs";', 'await import("fs");', 'require("fs");', 'new Function("return 1");', 'eval("1");'])
      assert.equal(faults(source).length, 1, source);
    assert.deepEqual(faults('import { show } from "damlab"; import { parseRecipe } from "damlab/merging";'), []);
  });
});

/** A run that measured one claim, which holds or does not. */
function claimsCell(measured: string, verdict: string): { cell_type: string; source: string; outputs: unknown[] } {
  const claims = { notebook: "02-x", short: false, claims: [{ id: "c", claim: "It rises", measured, verdict }] };
  return { cell_type: "code", source: "", outputs: [{ output_type: "display_data", data: { [claimsMime]: claims } }] };
}

describe("unfoundedNumbers()", () => {
  const MEASURED = "31.1 % [27.1, 35.2], 3 runs";
  const faults = (source: string, paper: readonly string[] = []): string[] =>
    unfoundedNumbers(notebookOf([{ cell_type: "markdown", source }, claimsCell(MEASURED, "agrees")]), {
      name: "02-x",
      paper,
      others: ["02-x", "06-tradeoff"],
    });

  it("takes a measured number only as the run wrote it, whichever digit differs", () => {
    const said = `It rises (${MEASURED}).`;
    assert.deepEqual(faults(said), []);
    for (const at of [...said].flatMap((character, index) => (/\d/.test(character) ? [index] : []))) {
      const altered = said.slice(0, at) + String((Number(said[at]) + 1) % 10) + said.slice(at + 1);
      assert.notDeepEqual(faults(altered), [], altered);
    }
  });

  it("takes no number that only happens to stand in an output or in code", () => {
    assert.deepEqual(faults("ACC is 27.1 with 3 runs."), ["27.1", "3"]);
  });

  it("takes from a quotation exactly what the paper is known to say", () => {
    assert.deepEqual(faults("> **The paper** (Figure 2): ASR above 70 %", ["2", "70"]), []);
    assert.deepEqual(faults("> **The paper** (Figure 2): ASR above 35 %", ["2", "70"]), ["quoted 2 35 instead of 2 70"]);
  });

  it("leaves names, links and other notebooks alone, but no notebook that is not there", () => {
    assert.deepEqual(faults("# 02 · M1 and RESISC45, see [06-tradeoff](a/06.ipynb) and notebook 06"), []);
    assert.deepEqual(faults("# 03 · see notebook 08 and Theorem 2"), ["03", "08", "2"]);
  });
});

describe("unsaidVerdicts()", () => {
  const measured = "31.1 % [27.1, 35.2], 3 runs";
  const faults = (source: string): string[] =>
    unsaidVerdicts(notebookOf([{ cell_type: "markdown", source }, claimsCell(measured, "does not")]));

  it("asks for the words beside the value", () => {
    assert.deepEqual(faults(`This does not hold here (${measured}).`), []);
    assert.deepEqual(faults(`This is so (${measured}).\n\nThe other does not hold.`), [`It rises: ${measured}`]);
  });
});

/** The numbers in each notebook's quotation of the paper, in their order. */
const PAPER: Readonly<Record<string, readonly string[]>> = {
  "01-individual": ["1", "5"],
  "02-succession": ["2", "70", "35"],
  "03-transfer": ["3"],
  "04-how-dam-works": ["4"],
  "05-second-attack": ["1", "5"],
  "06-tradeoff": ["1", "1", "2", "10", "1"],
  "07-ablations": ["7", "7"],
};

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

  it("are strict TypeScript", function () {
    this.timeout(60_000);
    assert.deepEqual(faultsOfTypes(Object.fromEntries(paths.map((path) => [path, read(path)])), FOLDER), {});
    const wrong = notebookOf([{ cell_type: "code", source: 'import { loadSuite } from "damlab";\nawait loadSuite(1);', outputs: [] }]);
    assert.match(faultsOfTypes({ "wrong.ipynb": wrong }, FOLDER)["wrong.ipynb"]!.join(), /'number' is not assignable to parameter of type/);
  });

  for (const path of paths) {
    it(`${path} is short, only calls the library, and has a cell of parameters`, () => {
      const notebook = read(path);
      assert.deepEqual(faultsOfForm(notebook), []);
      assert.ok(codeCells(notebook)[0]!.metadata["tags"], "the first code cell is tagged");
    });

    it(`${path} states only numbers that it measured, or that the paper is known to say`, () => {
      const name = basename(path, ".ipynb");
      const others = paths.map((other) => basename(other, ".ipynb"));
      assert.deepEqual(unfoundedNumbers(read(path), { name, paper: PAPER[name] ?? [], others }), []);
    });

    it(`${path} says in words which claims do not hold`, () => {
      assert.deepEqual(unsaidVerdicts(read(path)), []);
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
