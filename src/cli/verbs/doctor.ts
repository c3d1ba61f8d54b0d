import type { Command } from "commander";
import { printText } from "../output";
export function registerDoctor(program: Command): void {
  program
    .command("doctor")
    .description("x")
    .action(() => printText("ok"));
}
