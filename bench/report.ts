/**
 * @file Writes the results of `npm run bench` into docs/bench.md and docs/bench.png: `npm run bench:report -- RESULTS.json…`. Of a case that is in
 * several files the last one counts. What the page says around the marks stays.
 */
import { readFile } from "node:fs/promises";
import * as path from "node:path";
import { exportFigure, tableToMarkdown } from "../src/figures";
import { DOCS, writeIntoPage } from "./docsPage";
import type { BenchReport } from "./harness/types";
import { mergeReports, provenanceText, ratiosFigure, ratiosTable, timesTable } from "./reportParts";

async function main(files: readonly string[]): Promise<void> {
  if (files.length === 0) throw new RangeError("Cannot write a report: expected files of npm run bench -- --out FILE, got none");
  const reports = await Promise.all(files.map(async (file) => JSON.parse(await readFile(file, "utf8")) as BenchReport));
  const report = mergeReports(reports);
  const parts = [
    provenanceText(report),
    "![Speed ratios](bench.png)",
    tableToMarkdown(ratiosTable(report)),
    tableToMarkdown(timesTable(report)),
  ];
  await writeIntoPage("bench.md", "results", parts.join("\n\n"));
  await exportFigure(ratiosFigure(report), path.join(DOCS, "bench.png"));
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
