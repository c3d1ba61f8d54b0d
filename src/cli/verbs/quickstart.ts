import path from "node:path";
import type { Command } from "commander";
import { terminalProgress } from "../../display/progress";
import { startEngine } from "../../engine";
import { tableToText } from "../../figures";
import { printJson, printNote, printText } from "../output";
import { runQuickstart } from "../quickstart";

/** Validation images a task by which λ is chosen in the short run. */
const SHORT_VALIDATION = 150;

/** `damlab quickstart`: what `npm start` runs. */
export function registerQuickstart(program: Command): void {
  program
    .command("quickstart")
    .description("Merge backdoored and clean desk models by each method, evaluate them, and write a report.")
    .option("--out <dir>", "folder of the results", path.join("results", "quickstart"))
    .option("--full", "choose λ on all validation images")
    .option("--json", "print the evaluations as one JSON document")
    .action(async ({ out, full = false, json = false }: { out: string; full?: boolean; json?: boolean }) => {
      const { name, version } = await startEngine();
      printNote(`Engine ${name}${version ? ` ${version}` : ""}`);
      const found = await runQuickstart({ out, progress: terminalProgress(), ...(full ? {} : { validationImages: SHORT_VALIDATION }) });
      if (json) return printJson({ scaling: found.scaling, pretrained: found.pretrained, methods: found.reports });
      printText(`${tableToText(found.table)}\n\nWrote ${found.files.join(", ")}`);
      if (!full) {
        printText(
          `Shortened: λ was chosen on ${SHORT_VALIDATION} validation images a task. The full run: node src/cli/damlab.cjs quickstart --full`,
        );
      }
    });
}
