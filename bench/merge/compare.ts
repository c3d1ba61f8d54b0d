/**
 * @file Merges six random models of CLIP-ViT-B/32 size (350 MB each) by damlab and by the reference stacks, in one run.
 *
 *     npx tsx bench/merge/compare.ts [--python PYTHON] [--folder FOLDER] [--methods task_arithmetic,ties]
 *         [--stacks fusion_bench,mergekit,torch] [--command "node …"]
 *
 * PYTHON needs torch, transformers and safetensors, and fusion-bench and mergekit for those stacks; a stack that can't be imported is left
 * out, and the plain PyTorch transcription needs neither. Ties takes FusionBench and the transcription some 17 GB of memory. damlab's seconds
 * are those of the whole process, its start included; the stacks' leave their imports out. Prints a table to stderr and JSON to stdout. Peak
 * memory is read from /proc (Linux).
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import * as path from "node:path";
import { parseArgs } from "node:util";

const TASKS = ["mnist", "cars", "resisc45", "eurosat", "svhn", "dtd"];
const STACKS = ["fusion_bench", "mergekit", "torch"];
const SAME_RULE: Readonly<Record<string, readonly string[]>> = {
  task_arithmetic: STACKS,
  ties: ["fusion_bench", "torch"],
  "ties, trim: tensor": ["mergekit"],
};

interface Measured {
  readonly method: string;
  readonly stack: string;
  readonly seconds: number;
  readonly peakBytes: number | null;
  /** Against damlab's result of the same rule. */
  readonly difference?: number;
  readonly entriesApart?: number;
}

const { values: flags } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    folder: { type: "string", default: tmpdir() },
    methods: { type: "string", default: "task_arithmetic,ties" },
    stacks: { type: "string", default: STACKS.join(",") },
    command: { type: "string", default: `${process.execPath} ${path.join(__dirname, "..", "..", "src", "cli", "damlab.cjs")}` },
  },
});

async function compare(): Promise<void> {
  const folder = mkdtempSync(path.join(flags.folder, "damlab-bench-merge-"));
  try {
    await python("make", folder);
    const rows: Measured[] = [];
    for (const method of flags.methods.split(",")) rows.push(...(await compareMethod(method, folder)));
    report(rows);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compareMethod(method: string, folder: string): Promise<Measured[]> {
  const rows: Measured[] = [];
  const rules = method === "ties" ? ["ties", "ties, trim: tensor"] : [method];
  for (const rule of rules) rows.push(await runDamlab(rule, folder));
  for (const stack of flags.stacks.split(",")) {
    const out = path.join(folder, "out", stack);
    const result = await python(stack, method, folder, out);
    if (typeof result.missing === "string") {
      process.stderr.write(`${stack}: left out (${result.missing})\n`);
      continue;
    }
    const rule = rules.find((candidate) => SAME_RULE[candidate]!.includes(stack))!;
    const gap = await python("difference", path.join(folder, "out", rule, "model.safetensors"), path.join(out, "model.safetensors"));
    rows.push({ method, stack, ...result, ...gap } as Measured);
    rmSync(out, { recursive: true });
  }
  return rows;
}

async function runDamlab(rule: string, folder: string): Promise<Measured> {
  const options = rule.endsWith("tensor") ? { trim: "tensor" } : {};
  const recipe = path.join(folder, "recipe.yaml");
  writeFileSync(recipe, JSON.stringify({ base: "base", models: TASKS, method: rule.split(",")[0], options }));
  const [program, ...prefix] = flags.command.split(" ") as [string, ...string[]];
  const began = performance.now();
  const { peakBytes } = await run(program, [...prefix, "merge", recipe, "--out", path.join(folder, "out", rule)]);
  return { method: rule, stack: "damlab", seconds: (performance.now() - began) / 1000, peakBytes };
}

async function python(...words: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await run(flags.python, [path.join(__dirname, "stacks.py"), ...words]);
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as Record<string, unknown>;
}

/** Runs a program to its end; its peak memory is what the last look at /proc said. */
async function run(program: string, words: readonly string[]): Promise<{ stdout: string; peakBytes: number | null }> {
  const child = spawn(program, words, { stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  let peakBytes: number | null = null;
  child.stdout.on("data", (text: Buffer) => (stdout += String(text)));
  child.stderr.on("data", (text: Buffer) => (stderr += String(text)));
  const look = setInterval(() => (peakBytes = readPeak(child.pid!) ?? peakBytes), 20);
  const code = await new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve));
  clearInterval(look);
  if (code !== 0) throw new Error(`Cannot run "${program} ${words.join(" ")}": expected exit code 0, got ${code}: ${stderr.slice(-2000)}`);
  return { stdout, peakBytes };
}

function readPeak(pid: number): number | null {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kilobytes === undefined ? null : 1024 * Number(kilobytes);
  } catch {
    return null;
  }
}

function report(rows: readonly Measured[]): void {
  const ratios: Record<string, number> = {};
  for (const { method, seconds } of rows.filter(({ stack }) => stack === "damlab")) {
    const references = rows.filter((row) => row.stack !== "damlab" && row.method === method.split(",")[0]);
    ratios[method] = seconds / Math.min(...references.map((row) => row.seconds));
  }
  const table = rows.map((row) => [
    row.method.padEnd(20),
    row.stack.padEnd(13),
    `${row.seconds.toFixed(1)} s`.padStart(8),
    row.peakBytes === null ? "" : `${(row.peakBytes / 1e6).toFixed(0)} MB`.padStart(9),
    row.difference === undefined ? "" : `differs by ${row.difference.toExponential(1)}, ${row.entriesApart} entries by more than 1e-6`,
  ]);
  process.stderr.write(`${table.map((cells) => cells.join("  ").trimEnd()).join("\n")}\n`);
  const machine = { cpu: cpus()[0]?.model, threads: availableParallelism(), node: process.version };
  const secondsOverFastestReference = Object.fromEntries(
    Object.entries(ratios).map(([method, ratio]) => [method, Number(ratio.toFixed(3))]),
  );
  process.stdout.write(`${JSON.stringify({ machine, models: TASKS.length, rows, secondsOverFastestReference }, null, 2)}\n`);
}

void compare();
