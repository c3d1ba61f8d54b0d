/**
 * @file When to stop DAM without labels: looks at long runs as their user would, judges each look's merge with labels and triggers, and compares
 * what the rule takes with an oracle and with a fixed number of iterations. `--help` tells the rest.
 */
import { parseArgs } from "node:util";
import * as path from "node:path";
import { z } from "zod";
import { defineCell, loadSuite, type Cell, type Suite, type TaskVectors } from "../../src/cells";
import { runAdapted } from "../../src/cells/adaptation";
import { packMerged, runJudge } from "../../src/cells/sweepJobs";
import { writeFileAtomic } from "../../src/checkpoints";
import { DAM_DEFAULTS, runDam, type Look } from "../../src/dam";
import { chooseStop, mean, standardError, stopWatch } from "../../src/selection";
import { writeIntoPage } from "../docsPage";
import { commonFlags, configureRuns, judgedImages, many, numbers, pair, runMain, usage, zooSeeds } from "./flags";
import { percent, table } from "./tables";

/** Iterations of the runs that are looked at: longer than those of a run by the defaults. */
const STEPS = 300;

const HELP = `Usage: npx tsx bench/defence/stop.ts [options]

Runs DAM for many iterations, looks at it as its user would, judges the merge of each look, and writes OUT/stop.md and OUT/stop.json. What is
done is kept in CACHE.

  --steps ${STEPS}   --every 25  iterations, and iterations between two looks
  --patience 2             looks in a row that may be worse
  --fixed ${DAM_DEFAULTS.steps}              the number of iterations to compare with
  --dam KEY=VALUE          an option of DAM, any number of times
  --zoo-seeds 0,1,2   --seeds 0,1,2   --split test   --images N (default all)
  --attacked resisc45,eurosat   --attack trojvit   --suite desk
  --out DIR                default results/stop
  --cache DIR              default OUT/cache
  --docs                   also write the table into docs/defence.md
`;

const { values: flags } = usage(() =>
  parseArgs({
    options: {
      ...commonFlags("stop"),
      steps: { type: "string", default: String(STEPS) },
      every: { type: "string", default: "25" },
      patience: { type: "string", default: "2" },
      fixed: { type: "string", default: String(DAM_DEFAULTS.steps) },
      dam: many,
      docs: { type: "boolean", default: false },
    },
  }),
);

/** A look, and what its user cannot see. */
type JudgedLook = Look & { readonly iteration: number; readonly acc: number; readonly asr: number };

interface WatchParameters {
  seed?: number | undefined;
  steps?: number | undefined;
  every?: number | undefined;
  dam?: Record<string, unknown> | undefined;
  split?: "train" | "validation" | "test" | undefined;
  limit?: number | undefined;
}

/** One long run, looked at and judged. */
const watchRun: Cell<[vectors: TaskVectors, suite: Suite], WatchParameters, { looks: JudgedLook[] }> = defineCell({
  name: "bench.watchRun",
  version: 1,
  summary: "A long run of DAM, looked at without labels and judged with them",
  inputs: ["vectors", "suite"],
  parameters: z.object({
    seed: z.number().int().default(0),
    steps: z.number().int().min(1).default(STEPS),
    every: z.number().int().min(1).default(25),
    dam: z.record(z.string(), z.unknown()).default({}),
    split: z.enum(["train", "validation", "test"]).default("test"),
    limit: z.number().int().min(1).optional(),
  }),
  async run([vectors, suite]: [vectors: TaskVectors, suite: Suite], { seed, steps, every, dam, split, limit }, context) {
    const { config, pretrained, attacked } = vectors;
    const looks: JudgedLook[] = [];
    const judged = suite.tasks.map(({ id, head }) => ({ id, head, triggers: suite.triggers.filter(({ name }) => name === attacked[id]) }));
    await runAdapted(
      vectors,
      { seed, adaptOn: "adapt", whenInterrupted: "throw" },
      { ...context, checkpoint: noCheckpoint },
      (adaptation) => {
        const watch = stopWatch(adaptation, { every });
        return runDam(
          {
            ...adaptation,
            watch: {
              every,
              async look(candidate, unmasked) {
                const look = await watch.look(candidate, unmasked);
                const merged = packMerged(pretrained, candidate);
                const request = { config, pretrained, merged, scale: 1, tasks: judged, attacked, split, limit: limit ?? null };
                const { acc, asrAttacked } = await runJudge(request, context.signal);
                looks.push({ ...look, iteration: Math.min(steps, every * (looks.length + 1)), acc, asr: asrAttacked! });
                return look;
              },
              choose: (seen) => ({ best: seen.length - 1, settled: false }),
            },
          },
          { ...dam, steps, finalAdaptSteps: 0 },
        );
      },
    );
    return { looks };
  },
});

/** The looks are not part of a run's state: a run that was killed begins anew. */
const noCheckpoint = { load: () => Promise.resolve(null), save: () => Promise.resolve(), clear: () => Promise.resolve() };

/** What the rule takes, with no look into the future. */
function stopOf(looks: readonly JudgedLook[], patience: number): JudgedLook {
  for (let seen = 1; seen <= looks.length; seen++) {
    const { best, settled } = chooseStop(looks.slice(0, seen), patience);
    if (settled || seen === looks.length) return looks[best]!;
  }
  throw new RangeError("Cannot stop: expected at least 1 look, got 0");
}

/** The lowest ASR among the looks whose ACC is at most 1 point below the best one's. */
function oracleOf(looks: readonly JudgedLook[]): JudgedLook {
  const best = Math.max(...looks.map(({ acc }) => acc));
  return looks.filter(({ acc }) => acc >= best - 0.01).reduce((least, look) => (look.asr < least.asr ? look : least));
}

async function main(): Promise<void> {
  if (flags.help) return void process.stdout.write(HELP);
  configureRuns(flags);
  const [steps, every, patience, fixed] = [flags.steps, flags.every, flags.patience, flags.fixed].map(Number) as [
    number,
    number,
    number,
    number,
  ];
  const dam = Object.fromEntries(flags.dam.map(pair));
  const suite = await loadSuite(flags.suite);
  const runs: { zooSeed: number; seed: number; looks: JudgedLook[] }[] = [];
  for await (const { zooSeed, vectors } of zooSeeds(suite, flags)) {
    for (const seed of numbers(flags.seeds)) {
      const { looks } = await watchRun(vectors, suite, { seed, steps, every, dam, ...judgedImages(flags) });
      runs.push({ zooSeed, seed, looks });
    }
  }
  const choices = {
    [`fixed, ${fixed} iterations`]: ({ looks }: (typeof runs)[number]) => looks.find(({ iteration }) => iteration === fixed)!,
    "label-free": ({ looks }: (typeof runs)[number]) => stopOf(looks, patience),
    oracle: ({ looks }: (typeof runs)[number]) => oracleOf(looks),
    [`all ${steps}`]: ({ looks }: (typeof runs)[number]) => looks.at(-1)!,
  };
  const iterationsOf = (looks: readonly JudgedLook[]): string => {
    const iterations = looks.map(({ iteration }) => iteration);
    const [least, most] = [Math.min(...iterations), Math.max(...iterations)];
    return least === most ? String(least) : `${mean(iterations).toFixed(0)} (${least} – ${most})`;
  };
  const rates = (looks: readonly JudgedLook[]): string[] => {
    const spread = (values: readonly number[]): string =>
      `${percent(mean(values))} ± ${percent(values.length < 2 ? null : standardError(values))}`;
    return (["acc", "asr", "flips", "agreement"] as const).map((key) => spread(looks.map((look) => look[key])));
  };
  const titles = ["stop", "iterations", "ACC", "ASR attacked", "flips", "agreement"];
  const page = [
    `Split ${flags.split}; zoo seeds ${flags["zoo-seeds"]}; seeds ${flags.seeds}; attacked: ${flags.attacked}; before the final stage; ± standard error over the ${runs.length} runs.`,
    table(
      titles,
      Object.entries(choices).map(([name, choose]) => {
        const chosen = runs.map(choose);
        return [name, iterationsOf(chosen), ...rates(chosen)];
      }),
    ),
    table(
      ["after", ...titles.slice(2)],
      runs[0]!.looks.map(({ iteration }, index) => [String(iteration), ...rates(runs.map(({ looks }) => looks[index]!))]),
    ),
    "",
  ].join("\n\n");
  await writeFileAtomic(path.join(flags.out, "stop.json"), `${JSON.stringify({ steps, every, patience, dam, runs }, null, 1)}\n`);
  await writeFileAtomic(path.join(flags.out, "stop.md"), page);
  if (flags.docs) await writeIntoPage("defence.md", "stop", page);
  process.stdout.write(page);
}

runMain(main);
