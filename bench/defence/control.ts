/**
 * @file The control by α: runs DAM alone at some αs over zoo seeds x seeds, and asks whether α walks along a front. `--help` tells the rest.
 */
import { parseArgs } from "node:util";
import * as path from "node:path";
import { loadSuite, sweepAlpha } from "../../src/cells";
import { writeFileAtomic } from "../../src/checkpoints";
import { checkAlphaControl, type JudgedPoint } from "../../src/selection";
import { commonFlags, configureRuns, judgedImages, many, numbers, pair, runMain, usage, zooSeeds } from "./flags";
import { judgedPoints } from "./points";
import { controlTable } from "./tables";

const HELP = `Usage: npx tsx bench/defence/control.ts [options]

Runs DAM at several alphas, and writes OUT/control.md and OUT/control.json: means over the runs, which of them are dominated, and whether
neighbours' ASR lie further apart than their pooled standard error. What is done is kept in CACHE, as by table.ts.

  --alphas 0.3,0.45,0.7,1.5,20  alphas to run. These, the seeds and the option below were fixed before the first run with these seeds on test
                           images (docs/defence.md)
  --dam KEY=VALUE          an option of DAM, any number of times; default maskLearningRate=0.02
  --zoo-seeds 0,1,2   --seeds 6,7,8   --split test   --images N (default all)
  --attacked resisc45,eurosat   --attack trojvit   --suite desk
  --out DIR                default results/control
  --cache DIR              default OUT/cache

45 runs of DAM and 90 evaluations: an hour on two idle threads.
`;

const { values: flags } = usage(() =>
  parseArgs({
    options: {
      ...commonFlags("control", "6,7,8"),
      alphas: { type: "string", default: "0.3,0.45,0.7,1.5,20" },
      dam: { ...many, default: ["maskLearningRate=0.02"] },
    },
  }),
);

async function main(): Promise<void> {
  if (flags.help) return void process.stdout.write(HELP);
  configureRuns(flags);
  const settings = {
    methods: ["dam"],
    alphas: numbers(flags.alphas),
    seeds: numbers(flags.seeds),
    options: { dam: Object.fromEntries(flags.dam.map(pair)) },
    floors: "none" as const,
    ...judgedImages(flags),
  };
  const suite = await loadSuite(flags.suite);
  const points: JudgedPoint[] = [];
  for await (const { zooSeed, vectors } of zooSeeds(suite, flags)) {
    points.push(...judgedPoints([{ zooSeed, sweep: await sweepAlpha(vectors, suite, settings) }]));
  }
  const control = Object.fromEntries(["masks", "final"].map((stage) => [stage, controlOf(points, stage, settings.alphas)]));
  const said = Object.entries(control).map(
    ([stage, { nonDominated, separated }]) =>
      `${stage === "final" ? "After the final stage" : "Before it"}: means mutually non-dominated: ${yes(nonDominated)}; ` +
      `neighbours' ASR further apart than their pooled standard error: ${yes(separated)}.`,
  );
  const options = Object.entries(settings.options.dam).map(([name, value]) => `\`${name}: ${JSON.stringify(value)}\``);
  const page = [
    `Split ${flags.split}; zoo seeds ${flags["zoo-seeds"]}; seeds ${flags.seeds}; attacked: ${flags.attacked}; options of DAM: ${options.join(", ") || "none"}.`,
    ...said.reverse(),
    ...Object.entries(control).map(([stage, found]) => controlTable(stage, found)),
    "",
  ].join("\n\n");
  await writeFileAtomic(path.join(flags.out, "control.json"), `${JSON.stringify({ settings, control, points }, null, 1)}\n`);
  await writeFileAtomic(path.join(flags.out, "control.md"), page);
  process.stdout.write(page);
}

function controlOf(points: readonly JudgedPoint[], stage: string, alphas: readonly number[]) {
  return checkAlphaControl(
    alphas.map((alpha) => ({ alpha, runs: points.filter((point) => point.stage === stage && point.alpha === alpha) })),
  );
}

function yes(reached: boolean): string {
  return reached ? "yes" : "**no**";
}

runMain(main);
