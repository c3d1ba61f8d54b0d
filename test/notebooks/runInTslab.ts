/**
 * @file Runs notebooks in the stock tslab kernel and writes their outputs:
 * `npx tsx test/notebooks/runInTslab.ts [--short] [--out FOLDER] NOTEBOOK…`.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { writeFileAtomic } from "../../src/checkpoints/atomic";
import { formatNotebook, parseNotebook, sourceOf } from "../../src/kernel/run/notebook";
import { injectParameters, type NotebookParameters, shortParameters } from "../../src/kernel/run/parameters";
import { folderOf, runInTslab } from "./tslab";

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { short: { type: "boolean", default: false }, out: { type: "string" }, results: { type: "string" } },
  });
  for (const path of positionals) {
    const notebook = parseNotebook(readFileSync(path, "utf8"), path);
    const parameters: Record<string, unknown> = values.short ? { ...shortParameters(notebook) } : {};
    if (values.results !== undefined && notebook.cells.some((cell) => /\bconst results\b/.test(sourceOf(cell)))) {
      parameters["results"] = values.results;
    }
    injectParameters(notebook, parameters as NotebookParameters);
    const began = performance.now();
    const failure = await runInTslab(notebook, {
      cwd: folderOf(path),
      onCell: (cell, total) => process.stderr.write(`${basename(path)}: cell ${cell} of ${total}\n`),
    });
    const target = values.out === undefined ? path : join(values.out, basename(path));
    if (values.out !== undefined) mkdirSync(values.out, { recursive: true });
    await writeFileAtomic(target, formatNotebook(notebook));
    process.stderr.write(`${path}: ${((performance.now() - began) / 1000).toFixed(1)} s\n`);
    if (failure === undefined) continue;
    process.stderr.write(`${failure.traceback}\nCannot run "${path}": cell ${failure.cell} failed\n`);
    process.exitCode = 1;
  }
}

void main();
