import type { Command } from "commander";
import { type Companion, type Diagnosis, examineMachine } from "../doctor";
import { formatColumns, printJson, printText } from "../output";

/** `damlab doctor`: says what this machine has, what is missing, and how to get it. Fails only where no engine computes. */
export function registerDoctor(program: Command): void {
  program
    .command("doctor")
    .description("Say what this machine has, what is missing, and how to get it.")
    .option("--json", "print one JSON document")
    .action(async ({ json = false }: { json?: boolean }) => {
      const diagnosis = await examineMachine();
      if (json) printJson(diagnosis);
      else printText(describe(diagnosis));
      if (diagnosis.engine === null) throw new Error(diagnosis.engineReason ?? "Cannot find an engine");
    });
}

function describe(diagnosis: Diagnosis): string {
  const { damlab, node, platform, cores, memoryBytes, engine, gflops, engines, companions } = diagnosis;
  const machine = `damlab ${damlab}, Node ${node}, ${platform}, ${cores} cores, ${(memoryBytes / 2 ** 30).toFixed(1)} GiB of memory`;
  const engineRows = engines.map((probe) => rowOf(probe, probe.name === engine ? "computes here" : "available"));
  const companionRows = companions.map((companion) => rowOf(companion, companion.purpose));
  const heading = gflops === null ? "Engines" : `Engines (${engine}: ${gflops} GFLOP/s in products of float32 matrices)`;
  return [machine, "", heading, formatColumns(engineRows), "", "Companions (optional)", formatColumns(companionRows)].join("\n");
}

function rowOf({ name, available, reason, version }: Omit<Companion, "purpose">, note: string): string[] {
  return [available ? "  yes" : "  no", name, version ?? "-", available ? note : (reason ?? "")];
}
