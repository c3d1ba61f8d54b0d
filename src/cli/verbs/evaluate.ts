import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { Option, type Command } from "commander";
import { evaluate, loadModel, loadSuite, predict, reportTable, ResultCache, type Predictions } from "../../cells";
import { writeSafetensors, type WritableTensor } from "../../checkpoints";
import { terminalProgress } from "../../display/progress";
import { tableToText } from "../../figures";
import { interruptSignal } from "../interrupt";
import { printJson, printText, UsageError } from "../output";

interface EvaluateFlags {
  readonly suite: string;
  readonly split: "train" | "validation" | "test";
  readonly attacked?: Record<string, string>;
  readonly triggers?: "all" | string[];
  readonly predictions?: string;
  readonly limit?: number;
  readonly countAll: boolean;
  readonly seed: number;
  readonly cache: boolean;
  readonly json?: boolean;
}

/** Adds `damlab evaluate DIR`. */
export function registerEvaluate(program: Command): void {
  program
    .command("evaluate")
    .summary("measure accuracy and attack success of a model")
    .description(
      "Measures ACC and ASR of a model on a suite: each task under its own trigger (the attacker's where it is attacked, else a latent one), " +
        "and the attackers' triggers on every task.",
    )
    .argument("<folder>", "model in the Hugging Face layout")
    .option("--suite <name>", "desk, or the folder of another zoo of the same tasks", "desk")
    .addOption(new Option("--split <split>", "images to judge on").choices(["train", "validation", "test"]).default("test"))
    .option("--attacked <list>", "TASK=TRIGGER,…; an empty text is none (default: what the model's run.json says)", parseAttacked)
    .option("--triggers <list>", "all, or names of triggers, each on every task (default: own and attackers' triggers)", parseTriggers)
    .option("--predictions <file>", "write predicted classes as safetensors: I64 [n] under TASK and TASK/TRIGGER, in split order")
    .option("--limit <n>", "at most so many images a task, from the start of the split", parseLimit)
    .option("--count-all", "count images of the target class in the ASR's denominator too", false)
    .option("--seed <n>", "seed of the bootstrap", parseSeed, 0)
    .option("--no-cache", "compute even what is kept from an earlier run, and keep nothing")
    .option("--json", "print one JSON document")
    .action(runEvaluate);
}

async function runEvaluate(folder: string, flags: EvaluateFlags): Promise<void> {
  if (flags.cache) return evaluateFolder(folder, flags, new ResultCache());
  // Predictions may be needed twice, for their file and for the report.
  const temporary = await mkdtemp(path.join(tmpdir(), "damlab-evaluate-"));
  try {
    await evaluateFolder(folder, flags, new ResultCache(temporary));
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function evaluateFolder(folder: string, flags: EvaluateFlags, cache: ResultCache): Promise<void> {
  const settings = { signal: interruptSignal(), progress: terminalProgress(), cache };
  const suite = await loadSuite.with(settings)(flags.suite);
  const base = suite.models.find(({ task }) => task === null);
  const model = await loadModel.with(settings)(base === undefined ? folder : { folder, base: path.join(suite.folder, base.path) });
  const { split, attacked, triggers, limit, countAll, seed } = flags;
  const chosen = { split, attacked: attacked ?? model.attacked, triggers: triggers ?? ("own" as const), limit };
  if (flags.predictions !== undefined) await writePredictions(flags.predictions, await predict.with(settings)(model, suite, chosen));
  const report = await evaluate.with(settings)(model, suite, { ...chosen, countAll, seed });
  const { tasks, average, provenance } = report;
  if (flags.json === true) return printJson({ tasks, average, provenance });
  printText(tableToText(reportTable({ [path.basename(path.resolve(folder))]: report })));
}

async function writePredictions(file: string, { tasks }: Predictions): Promise<void> {
  const tensors: WritableTensor[] = [];
  for (const [task, { clean, triggered }] of tasks) {
    tensors.push(classTensor(task, clean));
    for (const [trigger, { predicted }] of Object.entries(triggered)) tensors.push(classTensor(`${task}/${trigger}`, predicted));
  }
  await writeSafetensors(file, tensors);
}

function classTensor(name: string, classes: Int32Array): WritableTensor {
  return { name, dtype: "I64", shape: [classes.length], values: BigInt64Array.from(classes, BigInt) };
}

function parseAttacked(text: string): Record<string, string> {
  const pairs = text.split(",").filter((pair) => pair.trim() !== "");
  return Object.fromEntries(
    pairs.map((pair) => {
      const [task = "", trigger = "", ...rest] = pair.split("=").map((part) => part.trim());
      if (task === "" || trigger === "" || rest.length > 0) {
        throw new UsageError(`Cannot read --attacked "${pair}": expected TASK=TRIGGER, such as eurosat=trojvit/eurosat-seed0`);
      }
      return [task, trigger] as const;
    }),
  );
}

function parseTriggers(text: string): "all" | string[] {
  return text === "all"
    ? "all"
    : text
        .split(",")
        .map((name) => name.trim())
        .filter((name) => name !== "");
}

function parseLimit(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new UsageError(`Cannot read --limit "${text}": expected a positive integer`);
  return Number(text);
}

function parseSeed(text: string): number {
  if (!/^-?\d+$/.test(text)) throw new UsageError(`Cannot read --seed "${text}": expected an integer`);
  return Number(text);
}
