// Runs cells in stock tslab, as its Jupyter kernel does, with the current folder as the notebook's.
// Standard input: a JSON array of sources. Standard output: a JSON array of {ok, printed, complaints}, one for each cell.
"use strict";
const { readFileSync } = require("node:fs");
const { createConverter } = require("tslab/dist/converter");
const { createExecutor } = require("tslab/dist/executor");

async function main() {
  let printed = [];
  let complaints = [];
  // Cells print to the process's own console; tslab shows values and complaints through the one that it is given.
  console.log = (...values) => void printed.push(values.join(" "));
  const shown = { log: console.log, error: (...values) => complaints.push(values.join(" ")) };
  const converter = createConverter({ isJS: false, isBrowser: false });
  const executor = createExecutor(process.cwd(), { node: converter, browser: converter, close: () => converter.close() }, shown);
  const outcomes = [];
  for (const source of JSON.parse(readFileSync(0, "utf8"))) {
    printed = [];
    complaints = [];
    outcomes.push({ ok: await executor.execute(source), printed: printed.join("\n"), complaints: complaints.join("\n") });
  }
  process.stdout.write(JSON.stringify(outcomes), () => process.exit(0));
}

void main();
