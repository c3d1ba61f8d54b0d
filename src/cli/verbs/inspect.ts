import type { Command } from "commander";
import { type CheckpointReport, inspectCheckpoint, type InspectedTensor, oneLine } from "../../checkpoints";
import { formatColumns, printJson, printText } from "../output";

/** Adds `damlab inspect PATH`: what is in a checkpoint, and how far it is from a base. */
export function registerInspect(program: Command): void {
  program
    .command("inspect")
    .description("list the tensors of a checkpoint; compare it with a base")
    .argument("<path>", "safetensors file, index of shards, or checkpoint folder")
    .option("--json", "print one JSON document")
    .option("--against <base>", "add norm and cosine of the task vector against this checkpoint")
    .action(async (place: string, options: { json?: boolean; against?: string }) => {
      const report = await inspectCheckpoint(place, options.against === undefined ? {} : { against: options.against });
      if (options.json === true) printJson(report);
      else printText(formatReport(report));
    });
}

function formatReport(report: CheckpointReport): string {
  const sharded = report.tensors.some(({ file }) => file !== undefined);
  const heading = ["tensor", "dtype", "shape", "bytes", "min", "max", "mean", "nan", "inf"];
  if (report.against !== undefined) heading.push("norm", "relative", "cosine");
  heading.push("sha256");
  if (sharded) heading.push("file");
  const rows = report.tensors.map((tensor) => formatRow(tensor, report.against !== undefined, sharded));
  const bytes = report.tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
  const lines = [formatColumns([heading, ...rows]), "", `${report.tensors.length} tensors, ${bytes} bytes`];
  if (report.against !== undefined) lines.push(`task vector against ${report.against.base}: norm ${shortNumber(report.against.norm)}`);
  for (const [key, value] of report.metadata) lines.push(`metadata ${oneLine(key)}: ${oneLine(value)}`);
  return lines.join("\n");
}

function formatRow(tensor: InspectedTensor, compared: boolean, sharded: boolean): string[] {
  const { name, dtype, shape, bytes, min, max, mean, nan, inf, sha256 } = tensor;
  const row = [
    oneLine(name),
    dtype,
    `[${shape.join(", ")}]`,
    String(bytes),
    ...[min, max, mean].map(shortNumber),
    String(nan),
    String(inf),
  ];
  if (compared) row.push(...[tensor.norm, tensor.relativeNorm, tensor.cosine].map(shortNumber));
  row.push(sha256.slice(0, 12));
  if (sharded) row.push(oneLine(tensor.file ?? ""));
  return row;
}

function shortNumber(value: number | string | null | undefined): string {
  if (value === null || value === undefined) return "-";
  return typeof value === "number" ? String(Number(value.toPrecision(6))) : value;
}
