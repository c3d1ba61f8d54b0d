import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { Command } from "commander";
import { writeFileAtomic } from "../../checkpoints";
import { readClaims, writeClaims } from "../claims";
import { printJson, printNote } from "../output";

/** Adds `damlab claims`: the claims table, from the outputs of notebooks. */
export function registerClaims(program: Command): void {
  program
    .command("claims")
    .summary("write the table of the paper's claims from the notebooks' outputs")
    .description("Collects the claims that notebooks carry in their outputs, and writes them as one Markdown table.")
    .argument("[folder]", "folder of the notebooks", join("notebooks", "figures"))
    .option("--out <file>", "file to write", join("docs", "claims.md"))
    .option("--short", "take outputs of short runs too, which say nothing of the claims")
    .option("--json", "print the claims as one JSON document and write nothing")
    .action(async (folder: string, { out, short = false, json = false }: { out: string; short?: boolean; json?: boolean }) => {
      const files = readdirSync(folder)
        .filter((file) => file.endsWith(".ipynb"))
        .sort()
        .map((file) => join(folder, file));
      const entries = files.flatMap((file) =>
        readClaims(readFileSync(file, "utf8"), file).map((found) => {
          if (found.short && !short) throw new RangeError(`Cannot take claims of "${file}": expected a full run, got a short one`);
          return { ...found, path: relative(dirname(out), file) };
        }),
      );
      if (entries.length === 0) throw new RangeError(`Cannot write claims: expected notebooks with claims in "${folder}", got none`);
      if (json) return printJson(entries);
      await writeFileAtomic(out, writeClaims(entries));
      printNote(`Wrote ${out}`);
    });
}
