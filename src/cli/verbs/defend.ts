import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { Option, type Command } from "commander";
import { parse as parseYaml } from "yaml";
import {
  loadSuite,
  loadTaskVectors,
  plotParetoFront,
  ResultCache,
  sweepAlpha,
  type CellSettings,
  type SweepAlphaParameters,
} from "../../cells";
import { writeFolderAtomic } from "../../checkpoints";
import { DAM_DEFAULTS } from "../../dam";
import { allMethods } from "../../defenses";
import { terminalProgress } from "../../display/progress";
import { exportFigure, tableToText } from "../../figures";
import { refuseForeignOutput } from "../../merging";
import { defenceTable, reportDefence } from "../defence";
import { interruptSignal } from "../interrupt";
import { printJson, printNote, printText, UsageError } from "../output";

interface DefendFlags {
  readonly suite: string;
  readonly attacked: readonly string[];
  readonly attack: string;
  readonly zooSeed: number;
  readonly seed: readonly number[];
  readonly alpha: number;
  readonly alphas: readonly number[];
  readonly methods?: readonly string[];
  readonly option: Readonly<Record<string, Record<string, unknown>>>;
  readonly split: "validation" | "test";
  readonly adaptOn: "adapt" | "test";
  readonly images?: number;
  readonly steps?: number;
  readonly floors: boolean;
  readonly cache: boolean;
  readonly out?: string;
  readonly json?: boolean;
}

/** Adds `damlab defend`. */
export function registerDefend(program: Command): void {
  program
    .command("defend")
    .summary("compare defences against a backdoored merge")
    .description(
      "Merges backdoored and clean models by DAM and by the baselines over the scale of their coefficients, judges every merge, and compares " +
        "at equal ACC. What is done is kept: a run that was interrupted goes on.",
    )
    .option("--suite <name>", "desk, or the folder of another zoo of the same tasks", "desk")
    .option("--attacked <list>", "tasks whose model is a backdoored one", parseNames, ["resisc45", "eurosat"])
    .option("--attack <name>", "who attacks: trojvit or badnets", "trojvit")
    .option("--zoo-seed <n>", "seed of the attack: which backdoored models and triggers", parseInteger, 0)
    .option("--seed <list>", "seed of the methods that draw random numbers; several give an interval", parseIntegers, [0])
    .option("--alpha <a>", "weight of DAM's safety loss", parseNumber, DAM_DEFAULTS.alpha)
    .option("--alphas <list>", "further weights, for the front", parseNumbers, [])
    .option(
      "--methods <list>",
      "names as in recipes (default: average, task_arithmetic, ties, adamerging, concrete_adamerging, dam)",
      parseNames,
    )
    .option("--option <method.key=value>", "an option of a method, any number of times", collectOption, {})
    .addOption(
      new Option("--split <split>", "images to judge on; validation for every choice").choices(["validation", "test"]).default("test"),
    )
    .addOption(
      new Option("--adapt-on <split>", "whose unlabelled images are adapted on; test as in the papers")
        .choices(["adapt", "test"])
        .default("adapt"),
    )
    .option("--images <n>", "judge on at most so many images a task, for a quick look", parseCount)
    .option("--steps <n>", "at most so many steps in each stage of each method, for a quick look", parseCount)
    .option("--no-floors", "leave out the same merges of clean models")
    .option("--no-cache", "compute even what is kept from an earlier run, and keep nothing")
    .option("--out <folder>", "folder to write: front.png, run.json; an earlier output is replaced")
    .option("--json", "print one JSON document")
    .action(runDefend);
}

async function runDefend(flags: DefendFlags): Promise<void> {
  if (flags.attacked.length === 0) throw new UsageError("Cannot defend: expected at least one task as --attacked, got none");
  if (flags.out !== undefined) await refuseForeignOutput(flags.out);
  if (flags.cache) return defend(flags, new ResultCache());
  const temporary = await mkdtemp(path.join(tmpdir(), "damlab-defend-"));
  try {
    await defend(flags, new ResultCache(temporary));
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function defend(flags: DefendFlags, cache: ResultCache): Promise<void> {
  const began = performance.now();
  const settings: Partial<CellSettings> = { signal: interruptSignal(), progress: terminalProgress(), cache };
  const { attacked, attack, zooSeed, alpha, out } = flags;
  const suite = await loadSuite.with(settings)(flags.suite);
  const vectors = await loadTaskVectors.with(settings)(suite, { backdoored: [...attacked], attack, attackSeed: zooSeed });
  const sweep = await sweepAlpha.with(settings)(vectors, suite, sweepParameters(flags));
  const found = reportDefence(sweep, alpha, zooSeed);
  const table = tableToText(defenceTable(found));
  if (out !== undefined) {
    const title = `${attack} on ${attacked.join(", ")}, zoo seed ${zooSeed}`;
    const { figure } = await plotParetoFront.with(settings)(sweep, { title, individual: false });
    const { cache: _cache, out: _out, json: _json, ...parameters } = flags;
    const seconds = Math.round(performance.now() - began) / 1000;
    const run = { verb: "defend", parameters, ...found, node: process.version, timings: { total: seconds } };
    await writeFolderAtomic(out, async (folder) => {
      await exportFigure(figure, path.join(folder, "front.png"));
      await writeFile(path.join(folder, "table.txt"), table);
      await writeFile(path.join(folder, "run.json"), `${JSON.stringify(run, null, 2)}\n`);
    });
  }
  if (flags.json === true) return printJson(found);
  printText(table);
  if (out !== undefined) printNote(`Wrote ${out}`);
}

function sweepParameters({
  alpha,
  alphas,
  seed,
  methods,
  option,
  split,
  adaptOn,
  images,
  steps,
  floors,
}: DefendFlags): SweepAlphaParameters {
  const chosen = methods ?? ["average", "task_arithmetic", "ties", "adamerging", "concrete_adamerging", "dam"];
  const options = Object.fromEntries(chosen.map((name) => [name, { ...shorten(name, steps), ...option[name] }]));
  return {
    alphas: [...new Set([alpha, ...alphas])].sort((a, b) => a - b),
    seeds: [...seed],
    methods: [...chosen],
    options: { ...option, ...options },
    floors: floors ? "default" : "none",
    floorAlphas: [alpha],
    triggers: "own",
    split,
    adaptOn,
    ...(images !== undefined && { limit: images }),
  };
}

/** A method's stages, none longer than that. */
function shorten(method: string, steps: number | undefined): Record<string, number> {
  const defaults = (allMethods.get(method)?.defaults ?? {}) as Readonly<Record<string, unknown>>;
  const stages = ["steps", "labelSteps", "finalAdaptSteps"].filter((stage) => typeof defaults[stage] === "number");
  return steps === undefined ? {} : Object.fromEntries(stages.map((stage) => [stage, Math.min(steps, defaults[stage] as number)]));
}

function parseNames(text: string): string[] {
  return text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new UsageError(`Cannot read "${text}": expected a number`);
  return value;
}

function parseInteger(text: string): number {
  if (!/^-?\d+$/.test(text.trim())) throw new UsageError(`Cannot read "${text}": expected an integer`);
  return Number(text);
}

function parseCount(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new UsageError(`Cannot read "${text}": expected a positive integer`);
  return Number(text);
}

function parseNumbers(text: string): number[] {
  return parseNames(text).map(parseNumber);
}

function parseIntegers(text: string): number[] {
  const seeds = [...new Set(parseNames(text).map(parseInteger))];
  if (seeds.length === 0) throw new UsageError(`Cannot read --seed "${text}": expected at least one integer`);
  return seeds;
}

function collectOption(text: string, before: Readonly<Record<string, Record<string, unknown>>>): Record<string, Record<string, unknown>> {
  const [, method, key, value] = /^([a-z_]+)\.([A-Za-z]+)=(.+)$/.exec(text) ?? [];
  if (method === undefined || key === undefined || value === undefined) {
    throw new UsageError(`Cannot read --option "${text}": expected METHOD.KEY=VALUE, such as dam.steps=100`);
  }
  return { ...before, [method]: { ...before[method], [key]: parseYaml(value) as unknown } };
}
