import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Notebook, parseNotebook } from "../../src/kernel/run/notebook";
import { OutputList } from "../../src/kernel/run/outputList";
import { injectParameters, shortParameters } from "../../src/kernel/run/parameters";
import type { Message } from "../../src/kernel/wire/message";

const LAUNCHER = join(__dirname, "..", "..", "src", "cli", "damlab.cjs");

function notebook(...cells: { source: string; tags?: string[]; type?: string }[]): Notebook {
  const written = cells.map(({ source, tags = [], type = "code" }) => ({ cell_type: type, source, metadata: { tags } }));
  return parseNotebook(JSON.stringify({ nbformat: 4, nbformat_minor: 4, metadata: {}, cells: written }), "test");
}

describe("damlab run", () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), "damlab-run-"))));
  after(() => rmSync(folder, { recursive: true, force: true }));

  function run(name: string, content: Notebook, ...options: string[]) {
    writeFileSync(join(folder, name), JSON.stringify(content));
    const { status, stdout, stderr } = spawnSync(process.execPath, [LAUNCHER, "run", join(folder, name), ...options], { encoding: "utf8" });
    return { status, stdout, stderr };
  }

  it("writes outputs, sets parameters, and goes on after errors where it may", () => {
    const content = notebook(
      { source: "# Title", type: "markdown" },
      { source: "const alpha = 0.1;", tags: ["parameters"] },
      { source: "const bar = display({ 'text/html': 'begun' }, { raw: true });\nconsole.log(alpha);\nalpha * 2" },
      { source: "throw new RangeError('too far')" },
      { source: "bar.update({ 'text/html': 'ended' });" },
    );
    const parameters = join(folder, "parameters.yaml");
    writeFileSync(parameters, "alpha: 0.5\n");
    const { status, stdout, stderr } = run(
      "all.ipynb",
      content,
      "--out",
      join(folder, "out"),
      "--parameters",
      parameters,
      "--allow-errors",
    );
    assert.deepEqual([status, stdout], [0, ""], stderr);
    const { cells, nbformat_minor, metadata } = parseNotebook(readFileSync(join(folder, "out", "all.ipynb"), "utf8"), "all");
    assert.deepEqual([nbformat_minor, (metadata.language_info as { name: string }).name], [5, "typescript"]);
    assert.deepEqual(cells[2]!.source, ["// Parameters\n", "let alpha = 0.5;"]);
    assert.deepEqual(cells[5]!.outputs, []);
    assert.deepEqual(cells[3]!.outputs, [
      { output_type: "display_data", data: { "text/html": ["ended"] }, metadata: {} },
      { output_type: "stream", name: "stdout", text: ["0.5\n"] },
      { output_type: "execute_result", data: { "text/plain": ["1"] }, metadata: {}, execution_count: 3 },
    ]);
    assert.deepEqual([cells[4]!.outputs![0]!.output_type, cells[4]!.outputs![0]!.ename], ["error", "RangeError"]);
    assert.equal(new Set(cells.map(({ id }) => id)).size, cells.length);
  });

  it("goes on after a notebook that can't be read, and fails in the end", () => {
    const broken = join(folder, "broken.ipynb");
    writeFileSync(broken, "{");
    const { status, stderr } = run("good.ipynb", notebook({ source: "1 + 1" }), broken, join(folder, "missing.ipynb"), "--out", folder);
    assert.equal(status, 1);
    assert.match(
      stderr,
      /\ndamlab: Cannot read notebook ".*broken\.ipynb": [^;]*; Cannot read notebook ".*missing\.ipynb": ENOENT[^\n]*\n$/,
    );
    assert.equal(parseNotebook(readFileSync(join(folder, "good.ipynb"), "utf8"), "good").cells[0]!.execution_count, 1);
  });

  it("ends at a cell that takes too long, with exit code 1, its traceback, and what was done", () => {
    const { status, stderr } = run("late.ipynb", notebook({ source: "1" }, { source: "for (;;) {}" }, { source: "2" }), "--timeout", "1");
    assert.equal(status, 1);
    assert.match(stderr, /CellTimeout: The cell took longer than 1 s\ndamlab: Cannot run ".*late\.ipynb": cell 2 failed: CellTimeout/);
    const { cells } = parseNotebook(readFileSync(join(folder, "late.ipynb"), "utf8"), "late");
    assert.deepEqual(
      cells.map(({ outputs }) => outputs!.map(({ output_type }) => output_type)),
      [["execute_result"], ["error"], []],
    );
  });
});

describe("injectParameters()", () => {
  it("replaces what was injected before, and tells of names that the notebook does not declare", () => {
    const content = notebook(
      { source: "const a = 1, b = 2;", tags: ["parameters"] },
      { source: "let a = 5;", tags: ["injected-parameters"] },
    );
    assert.deepEqual(injectParameters(content, { a: 7, b: 8 }), []);
    assert.deepEqual(
      content.cells.map(({ source }) => source),
      ["const a = 1, b = 2;", ["// Parameters\n", "let a = 7;\n", "let b = 8;"]],
    );
    assert.deepEqual(injectParameters(content, { a: 1, c: 1 }), ["c"]);
    assert.throws(() => injectParameters(content, { "a b": 1 }), /Cannot set parameter "a b": expected the name of a variable/);
  });
});

describe("shortParameters()", () => {
  it("takes those of the metadata, else `short` where it is declared", () => {
    const plain = notebook({ source: "const short = false;", tags: ["parameters"] });
    assert.deepEqual(shortParameters(plain), { short: true });
    plain.metadata.damlab = { short: { steps: 2 } };
    assert.deepEqual(shortParameters(plain), { steps: 2 });
    assert.deepEqual(shortParameters(notebook({ source: "1" })), {});
  });
});

describe("OutputList.add()", () => {
  const message = (msg_type: string, content: object) => ({ header: { msg_type }, content }) as unknown as Message;

  it("joins text of one stream and lets carriage returns overwrite", () => {
    const list = new OutputList(new Map());
    for (const text of ["10 %\r", "20 %\r", "done\n", "next"]) list.add(message("stream", { name: "stdout", text }));
    assert.deepEqual(list.outputs, [{ output_type: "stream", name: "stdout", text: ["done\n", "next"] }]);
  });

  it("clears now, or when the next output comes", () => {
    const list = new OutputList(new Map());
    list.add(message("stream", { name: "stdout", text: "old" }));
    list.add(message("clear_output", { wait: true }));
    assert.equal(list.outputs.length, 1);
    list.add(message("stream", { name: "stdout", text: "new" }));
    assert.deepEqual(
      list.outputs.map(({ text }) => text),
      [["new"]],
    );
    list.add(message("clear_output", { wait: false }));
    assert.equal(list.outputs.length, 0);
  });
});
