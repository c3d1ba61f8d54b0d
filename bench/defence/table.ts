/**
 * @file Judges DAM against the fronts of the baselines over zoo seeds x seeds, and writes the table, all points and a picture. `--help` tells
 * the rest.
 */
import { parseArgs } from "node:util";
import * as path from "node:path";
import { judgedPoints, loadSuite, plotParetoFront, sweepAlpha, type SweptAlpha } from "../../src/cells";
import { writeFileAtomic } from "../../src/checkpoints";
import { DAM_DEFAULTS } from "../../src/dam";
import { exportFigure } from "../../src/figures";
import { judgeDefence } from "../../src/selection";
import { DOCS, writeIntoPage } from "../docsPage";
import { commonFlags, configureRuns, judgedImages, many, numbers, pair, runMain, usage, zooSeeds } from "./flags";
import { verdictOf, writeTables } from "./tables";

const HELP = `Usage: npx tsx bench/defence/table.ts [options]

Runs DAM at several alphas, the baselines at several scales, judges every model, and writes OUT/table.md, OUT/points.json and
OUT/front.png. What is done is kept in CACHE: a killed run goes on, and more alphas, seeds or zoo seeds add only what is new. After a change
of the code of merging or DAM give another CACHE.

  --zoo-seeds 0,1,2        zoo seeds (attacks and backdoored models) to judge on; 3 to 6 are those for development
  --seeds 12,13,14         seeds of DAM, AdaMerging, Concrete AdaMerging; none of these was run on test images before the alphas were fixed
  --split test             test, validation (for every choice) or train
  --images N               at most so many images a task; default all
  --alphas 0.25,0.5,1,2,40  alphas to run, fixed beforehand
  --alpha A                the development setting's alpha; default: DAM's own default
  --dam KEY=VALUE          an option of DAM (see src/dam/options.ts), any number of times; VALUE is JSON or a word
  --adamerging KEY=VALUE   an option of AdaMerging; --concrete KEY=VALUE one of Concrete AdaMerging
  --methods LIST           default average,task_arithmetic,ties,adamerging,concrete_adamerging,dam
  --scales METHOD=LIST     other scales of a method, such as ties=0.1,0.2
  --floors default         none; default: of DAM at --alpha, and of each baseline at its own scale; all
  --view-images 160        unlabelled images a task for the choice without labels and triggers; 0 leaves that column out
  --triggers attacked      own: clean tasks under their latent triggers too (slower; gives the ASR of all tasks)
  --adapt-on adapt         test: adapt on the test images, as the paper does
  --attacked resisc45,eurosat   --attack trojvit   --suite desk
  --out DIR                default results/defence
  --cache DIR              default OUT/cache
  --docs                   also write the table into docs/defence.md and the picture to docs/defence.png

Development (the baselines are run once and kept; then a few minutes an alpha on two idle threads):
  npx tsx bench/defence/table.ts --zoo-seeds 3 --seeds 0 --split validation --alphas 1 --view-images 0 --floors none \\
      --dam maskLearningRate=0.04 --dam steps=200
The acceptance table (some two hours on two idle threads: 54 runs of DAM, 36 of the other adaptive methods, 300 evaluations):
  npx tsx bench/defence/table.ts --docs
`;

const { values: flags } = usage(() =>
  parseArgs({
    options: {
      ...commonFlags("defence", "12,13,14"),
      alphas: { type: "string", default: "0.25,0.5,1,2,40" },
      alpha: { type: "string" },
      dam: many,
      adamerging: many,
      concrete: many,
      methods: { type: "string", default: "average,task_arithmetic,ties,adamerging,concrete_adamerging,dam" },
      scales: many,
      floors: { type: "string", default: "default" },
      "view-images": { type: "string", default: "160" },
      triggers: { type: "string", default: "attacked" },
      "adapt-on": { type: "string", default: "adapt" },
      docs: { type: "boolean", default: false },
    },
  }),
);

async function main(): Promise<void> {
  if (flags.help) {
    process.stdout.write(HELP);
    return;
  }
  configureRuns(flags);
  const alphas = numbers(flags.alphas);
  const alpha = flags.alpha === undefined ? DAM_DEFAULTS.alpha : Number(flags.alpha);
  const methods = flags.methods.split(",");
  const options = Object.fromEntries(
    Object.entries({ dam: flags.dam, adamerging: flags.adamerging, concrete_adamerging: flags.concrete })
      .filter(([method]) => methods.includes(method))
      .map(([method, given]) => [method, Object.fromEntries(given.map(pair))]),
  );
  const settings = {
    alphas: alphas.includes(alpha) ? alphas : [...alphas, alpha],
    seeds: numbers(flags.seeds),
    methods,
    scales: Object.fromEntries(flags.scales.map(pair).map(([method, list]) => [method, numbers(String(list))])),
    options,
    floors: flags.floors as "default",
    floorAlphas: [alpha],
    triggers: flags.triggers as "own",
    ...judgedImages(flags),
    adaptOn: flags["adapt-on"] as "adapt",
    viewImages: Number(flags["view-images"]),
  };
  const suite = await loadSuite(flags.suite);
  const sweeps: { zooSeed: number; sweep: SweptAlpha }[] = [];
  for await (const { zooSeed, vectors } of zooSeeds(suite, flags)) {
    sweeps.push({ zooSeed, sweep: await sweepAlpha(vectors, suite, settings) });
  }
  const points = judgedPoints(sweeps);
  const judgement = judgeDefence(points, { defence: "dam", alpha });
  const tables = writeTables(sweeps, judgement, { ...settings, alpha, attacked: flags.attacked });
  const plot = await plotParetoFront(sweeps.map(({ sweep }) => sweep));
  const everything = {
    settings: { ...settings, alpha, suite: flags.suite, attack: flags.attack },
    verdict: verdictOf(judgement),
    judgement,
    sweeps,
  };
  await writeFileAtomic(path.join(flags.out, "points.json"), `${JSON.stringify(everything, null, 1)}\n`);
  await writeFileAtomic(path.join(flags.out, "table.md"), tables);
  await exportFigure(plot.figure, path.join(flags.out, "front.png"));
  if (flags.docs) {
    await writeIntoPage("defence.md", "table", tables);
    await exportFigure(plot.figure, path.join(DOCS, "defence.png"));
  }
  process.stdout.write(tables);
}

runMain(main);
