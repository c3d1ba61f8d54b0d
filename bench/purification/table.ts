/** @file Judges purification over attacks, and writes its tables and points. `--help` tells the rest. */
import { parseArgs } from "node:util";
import { readFile } from "node:fs/promises";
import * as path from "node:path";
import type { Trigger } from "../../src/attacks";
import {
  adaptModels,
  configureCells,
  loadSuite,
  loadTaskVectors,
  mergeModels,
  purifyTaskVectors,
  ResultCache,
  type FinetunedModel,
  type JudgedModel,
  type Suite,
  type TaskVectors,
} from "../../src/cells";
import { writeFileAtomic } from "../../src/checkpoints";
import { startEngine } from "../../src/engine";
import { lineProgress } from "../../src/display/progress";
import { accuracy, attackSuccessRate, deskImages, predictModel } from "../../src/evaluation";
import { scaledMerge } from "../../src/merging/adaptive";
import { writeIntoPage } from "../docsPage";
import { attackModel } from "./attackers";
import { SCENARIOS, type Attacker, type Scenario } from "./scenarios";
import { writeTables, type JudgedPoint, type ScenarioRun } from "./tables";

const HELP = `Usage: npx tsx bench/purification/table.ts [options]

Purifies, merges and judges each scenario with each seed, and writes OUT/points.json and OUT/tables.md. What is done is kept in CACHE.

  --groups main,tasks,triggers,base,adaptive,clean   which scenarios
  --only TEXT              of these, the scenarios whose title holds the text
  --seeds 0,1,2            of the main attack
  --clean-seeds 0,…,8      of the all-clean merge
  --other-seeds 0          of all other scenarios
  --split test             or validation
  --base DIR               zoo on a second base (damlab zoo build --base-seed 1 --out DIR); without it, its scenarios are left out
  --purify KEY=VALUE       an option of purification, any number of times
  --out DIR                default results/purification
  --cache DIR              default OUT/cache
  --tables-only            run nothing: write the tables of OUT/points.json again
  --docs                   also write the tables into docs/purification.md
`;

const { values: flags } = parseArgs({
  options: {
    help: { type: "boolean", default: false },
    groups: { type: "string", default: "main,tasks,triggers,base,adaptive,clean" },
    only: { type: "string", default: "" },
    seeds: { type: "string", default: "0,1,2" },
    "clean-seeds": { type: "string", default: "0,1,2,3,4,5,6,7,8" },
    "other-seeds": { type: "string", default: "0" },
    "tables-only": { type: "boolean", default: false },
    split: { type: "string", default: "test" },
    base: { type: "string" },
    purify: { type: "string", multiple: true, default: [] as string[] },
    out: { type: "string", default: path.join("results", "purification") },
    cache: { type: "string" },
    docs: { type: "boolean", default: false },
  },
});

const SCALES = {
  task_arithmetic: [0.1, 0.15, 0.2, 0.25, 0.3, 0.4],
  ties: [0.2, 0.3, 0.4, 0.5],
  adamerging: [0.5, 0.6, 0.7, 0.8, 0.9, 1],
} as const;
const ADAPT = { steps: 100, initialCoefficient: 0.2 } as const;

async function main(): Promise<void> {
  if (flags.help) {
    process.stdout.write(HELP);
    return;
  }
  configureCells({ cache: new ResultCache(flags.cache ?? path.join(flags.out, "cache")), progress: lineProgress({}) });
  await startEngine();
  const options = Object.fromEntries(flags.purify.map((text) => [text.split("=")[0]!, JSON.parse(text.split("=")[1]!) as unknown]));
  const pointsFile = path.join(flags.out, "points.json");
  const runs: ScenarioRun[] = [];
  if (flags["tables-only"]) runs.push(...(JSON.parse(await readFile(pointsFile, "utf8")) as { runs: ScenarioRun[] }).runs);
  for (const scenario of flags["tables-only"] ? [] : SCENARIOS) {
    if (!flags.groups.split(",").includes(scenario.group) || !scenario.title.includes(flags.only)) continue;
    if (scenario.suite === "base" && flags.base === undefined) continue;
    process.stderr.write(`${scenario.title}\n`);
    const lab = await openScenario(scenario);
    const seeds = { main: flags.seeds, clean: flags["clean-seeds"] }[scenario.group as string] ?? flags["other-seeds"];
    for (const seed of seeds.split(",").map(Number)) runs.push(await runScenario(lab, seed, options));
    await writeFileAtomic(pointsFile, `${JSON.stringify({ options, runs }, null, 1)}\n`);
  }
  const tables = writeTables(runs);
  await writeFileAtomic(path.join(flags.out, "tables.md"), tables);
  if (flags.docs) await writeIntoPage("purification.md", "tables", tables);
  process.stdout.write(tables);
}

interface Lab {
  readonly scenario: Scenario;
  readonly suite: Suite;
  readonly vectors: TaskVectors;
  readonly clean: TaskVectors;
  /** By attacked task; of an all-clean merge, those of zoo seed 0, so that the floor is seen. */
  readonly triggers: ReadonlyMap<string, Trigger>;
  /** Of merges that draw no random numbers. */
  readonly judged: Map<string, Rates>;
}

/** ACC and mean ASR, in [0, 1]. */
interface Rates {
  readonly acc: number;
  readonly asr: number | null;
}

/** Scenarios with whole fronts of baselines and several seeds. */
function isFull({ group }: Scenario): boolean {
  return group === "main" || group === "clean";
}

async function openScenario(scenario: Scenario): Promise<Lab> {
  const suite = await loadSuite(scenario.suite === "base" ? flags.base! : "desk");
  const clean = await loadTaskVectors(suite);
  let vectors: TaskVectors = clean;
  const triggers = new Map<string, Trigger>();
  for (const attacker of scenario.attackers) {
    const { model, trigger } = await makeAttacker(attacker, suite, clean);
    const models = vectors.models.map((own) => (own.task === attacker.task ? model : own));
    vectors = { ...vectors, models, attacked: { ...vectors.attacked, [attacker.task]: trigger.name } };
    triggers.set(attacker.task, trigger);
  }
  if (scenario.group === "clean") {
    for (const task of ["resisc45", "eurosat"])
      triggers.set(
        task,
        suite.triggers.find(({ name }) => name === `trojvit/${task}-seed0`)!,
      );
  }
  return { scenario, suite, vectors, clean, triggers, judged: new Map() };
}

async function makeAttacker(attacker: Attacker, suite: Suite, clean: TaskVectors): Promise<{ model: FinetunedModel; trigger: Trigger }> {
  const { task } = attacker;
  if ("zoo" in attacker) {
    const { attack, seed } = attacker.zoo;
    const { models } = await loadTaskVectors(suite, { tasks: [task], backdoored: [task], attack, attackSeed: seed });
    return { model: models[0]!, trigger: suite.triggers.find(({ name }) => name === `${attack}/${task}-seed${seed}`)! };
  }
  const { trigger, parameters } = await attackModel(clean, suite, { task, ...attacker.made });
  return { model: { task, attack: "made", trigger: trigger.name, seed: 0, parameters }, trigger };
}

async function runScenario(lab: Lab, seed: number, options: Record<string, unknown>): Promise<ScenarioRun> {
  const { scenario, vectors, clean } = lab;
  const full = isFull(scenario);
  const baselines: JudgedPoint[] = [];
  for (const method of ["task_arithmetic", "ties"] as const) {
    for (const scaling of full ? SCALES[method] : method === "ties" ? [0.3] : [0.2, 0.25]) {
      const merged = await mergeModels(vectors, { method, scaling });
      const name = `${method} ${scaling}`;
      if (!lab.judged.has(name)) lab.judged.set(name, await judge(lab, merged));
      baselines.push({ method, scale: scaling, ...lab.judged.get(name)! });
    }
  }
  const plain = await adaptModels(vectors, { ...ADAPT, seed });
  for (const scale of full ? SCALES.adamerging : [1]) {
    const parameters = scaledMerge(vectors, plain, scale);
    baselines.push({ method: "adamerging", scale, ...(await judge(lab, { ...plain, parameters })) });
  }
  const floorOf = async (of: TaskVectors): Promise<number | null> => (await judge(lab, await adaptModels(of, { ...ADAPT, seed }))).asr;
  const started = process.cpuUsage();
  const purified = await purifyTaskVectors(vectors, { ...options, seed });
  const { user, system } = process.cpuUsage(started);
  const merged = await adaptModels(purified, { ...ADAPT, seed });
  const purifiedClean = await purifyTaskVectors(clean, { ...options, seed });
  const individual = await Promise.all(
    vectors.models.map(async ({ task, parameters }, index) => {
      const own = { ...lab, suite: { ...lab.suite, tasks: lab.suite.tasks.filter(({ id }) => id === task) } };
      const [before, after] = [
        await judge(own, { config: vectors.config, parameters }),
        await judge(own, { config: vectors.config, parameters: purified.models[index]!.parameters }),
      ];
      const { capture, suspect, target } = purified.inspections[index]!;
      return { task, attacked: lab.scenario.attackers.some((attacker) => attacker.task === task), capture, target, suspect, before, after };
    }),
  );
  return {
    group: scenario.group,
    title: scenario.title,
    seed,
    cpuSeconds: (user + system) / 1e6,
    baselines,
    baselineFloor: await floorOf(clean),
    defended: { method: "purify", scale: 1, ...(await judge(lab, merged)) },
    defendedFloor: await floorOf(purifiedClean),
    individual,
  };
}

async function judge({ suite, triggers }: Pick<Lab, "suite" | "triggers">, { config, parameters }: JudgedModel): Promise<Rates> {
  const tasks = suite.tasks.map(({ id, head }) => {
    const trigger = triggers.get(id);
    return { id, head, images: deskImages(id, flags.split as "test", Infinity), triggers: trigger ? [trigger] : [] };
  });
  const predictions = await predictModel({ config, parameters }, tasks);
  const accs: number[] = [];
  const asrs: number[] = [];
  for (const [task, { labels, clean, triggered }] of predictions) {
    accs.push(accuracy(clean, labels).value!);
    const own = triggered[triggers.get(task)?.name ?? ""];
    if (own) asrs.push(attackSuccessRate(own.predicted, labels, { target: own.target }).value!);
  }
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  return { acc: mean(accs), asr: asrs.length === 0 ? null : mean(asrs) };
}

void main();
