import path from "node:path";
import type { Command } from "commander";
import { terminalProgress } from "../../display/progress";
import { startEngine } from "../../engine";
import { tableToText } from "../../figures";
import { printJson, printNote, printText } from "../output";
import { runQuickstart } from "../quickstart";

/** What the short run leaves out, so that it takes under three minutes on two cores. */
const SHORT = {
  validationImages: 150,
  testImages: 300,
  adaMerging: { steps: 60 },
  dam: { labelSteps: 40, steps: 50, finalAdaptSteps: 10 },
  adaptiveFloors: false,
} as const;

/** `damlab quickstart`: what `npm start` runs. */
export function registerQuickstart(program: Command): void {
  program
    .command("quickstart")
    .description("Merge backdoored and clean desk models by each method, evaluate them, and write a report.")
    .option("--out <dir>", "folder of the results", path.join("results", "quickstart"))
    .option(
      "--full",
      "choose λ on all validation images, judge all test images, train AdaMerging and DAM to their ends, and measure their floors",
    )
    .option("--json", "print the evaluations as one JSON document")
    .action(async ({ out, full = false, json = false }: { out: string; full?: boolean; json?: boolean }) => {
      const { name, version } = await startEngine();
      printNote(`Engine ${name}${version ? ` ${version}` : ""}`);
      const found = await runQuickstart({ out, progress: terminalProgress(), ...(full ? {} : SHORT) });
      if (json) return printJson({ scaling: found.scaling, pretrained: found.pretrained, methods: found.reports });
      printText(`${tableToText(found.table)}\n\nWrote ${found.files.join(", ")}`);
      if (!full) {
        printText(
          `Shortened: λ was chosen on ${SHORT.validationImages} validation images a task, and ${SHORT.testImages} test images a task were judged; ` +
            `AdaMerging had ${SHORT.adaMerging.steps} steps, DAM ${SHORT.dam.steps}; their floors were left out. The full run: node src/cli/damlab.cjs quickstart --full`,
        );
      }
    });
}
