/** The first run: a backdoor crosses a merge, as a table and as pictures, within a few minutes on any machine. */
import path from "node:path";
import {
  adaptModels,
  buildDualMasks,
  configureCells,
  evaluate,
  loadModel,
  loadSuite,
  loadTaskVectors,
  meanAttackSuccess,
  mergeModels,
  metaOptimize,
  plotReport,
  type AdaptModelsParameters,
  type Evaluation,
  type JudgedModel,
  type LoadedSuite,
  type LoadedTaskVectors,
  type MetaOptimizeParameters,
  type ReportWithFloor,
} from "../cells";
import { writeFileAtomic, writeFolderAtomic } from "../checkpoints";
import type { ProgressSink } from "../display/progress";
import { exportFigure, makeTable, renderReport, type CellValue, type Figure, type Table } from "../figures";
import { deskFolder } from "../zoo";

/** How the first run is made. */
export interface QuickstartOptions {
  /** Folder of the results; replaced as a whole. */
  readonly out: string;
  /** Tasks whose model is backdoored. */
  readonly backdoored?: readonly string[];
  /** Validation images a task by which λ of Task Arithmetic is chosen; all of them in the full run. */
  readonly validationImages?: number;
  /** Test images a task; all of them by default. */
  readonly testImages?: number;
  /** Settings of AdaMerging and of DAM that differ from their defaults. */
  readonly adaMerging?: AdaptModelsParameters;
  readonly dam?: MetaOptimizeParameters;
  /** Whether the floors of AdaMerging and DAM are measured, too; default true. */
  readonly adaptiveFloors?: boolean;
  readonly progress?: ProgressSink;
}

/** What the first run found. */
export interface QuickstartResult {
  readonly table: Table;
  /** λ of Task Arithmetic with the best ACC on validation images. */
  readonly scaling: number;
  /** Reports by method, each beside its floor. */
  readonly reports: Readonly<Record<string, ReportWithFloor>>;
  readonly pretrained: Evaluation;
  /** Files in `out`. */
  readonly files: readonly string[];
}

/** λ's that Task Arithmetic is tried with. */
const SCALINGS = [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4] as const;

/** Merges two backdoored and four clean models by each method and by DAM, and the same with clean models alone; writes what was found. */
export async function runQuickstart(options: QuickstartOptions): Promise<QuickstartResult> {
  const { out, backdoored = ["resisc45", "eurosat"], validationImages = Infinity, testImages = Infinity, progress } = options;
  const { adaMerging = {}, dam = {}, adaptiveFloors = true } = options;
  if (progress) configureCells({ progress });
  const suite = await loadSuite("desk");
  const attacked = await loadTaskVectors(suite, { backdoored: [...backdoored] });
  const clean = await loadTaskVectors(suite, {});
  const scaling = await chooseScaling(attacked, suite, limited(validationImages));
  const judge = async (merge: (vectors: LoadedTaskVectors) => Promise<JudgedModel>, withFloor = true): Promise<ReportWithFloor> => {
    const limit = limited(testImages);
    const report = await evaluate(await merge(attacked), suite, limit);
    if (!withFloor) return { report };
    return { report, floor: await evaluate(await merge(clean), suite, { triggers: Object.values(attacked.attacked), ...limit }) };
  };
  const reports = {
    "Weight average": await judge((vectors) => mergeModels(vectors, { method: "average" })),
    [`Task Arithmetic, λ = ${scaling}`]: await judge((vectors) => mergeModels(vectors, { method: "task_arithmetic", scaling })),
    "Ties-Merging, λ = 0.3": await judge((vectors) => mergeModels(vectors, { method: "ties" })),
    AdaMerging: await judge((vectors) => adaptModels(vectors, { method: "adamerging", ...adaMerging }), adaptiveFloors),
    DAM: await judge((vectors) => defend(vectors, dam), adaptiveFloors),
  };
  const triggers = Object.values(attacked.attacked);
  const base = await loadModel(path.join(deskFolder(), "pretrained"));
  const pretrained = await evaluate(base, suite, { triggers, ...limited(testImages) });
  const table = quickstartTable(pretrained, attacked.attacked, reports);
  const files = await writeResults(out, { table, reports, scaling, pretrained, attacked });
  return { table, scaling, reports, pretrained, files };
}

function limited(images: number): { limit?: number } {
  return images === Infinity ? {} : { limit: images };
}

/** The λ with the highest ACC on validation images; nothing about triggers is looked at. */
async function chooseScaling(vectors: LoadedTaskVectors, suite: LoadedSuite, limit: { limit?: number }): Promise<number> {
  let best = { scaling: NaN, acc: -1 };
  for (const scaling of SCALINGS) {
    const merged = await mergeModels(vectors, { method: "task_arithmetic", scaling });
    const { average } = await evaluate(merged, suite, { split: "validation", triggers: [], ...limit });
    if (average.acc! > best.acc) best = { scaling, acc: average.acc! };
  }
  return best.scaling;
}

async function defend(vectors: LoadedTaskVectors, settings: MetaOptimizeParameters): Promise<JudgedModel> {
  return metaOptimize(vectors, await buildDualMasks(vectors), settings);
}

function quickstartTable(
  pretrained: Evaluation,
  attacked: Readonly<Record<string, string>>,
  reports: Readonly<Record<string, ReportWithFloor>>,
): Table {
  const rows: Record<string, CellValue>[] = [
    { method: "Pretrained, not merged", acc: pretrained.average.acc, asr: null, floor: meanAttackSuccess(pretrained, attacked) },
    ...Object.entries(reports).map(([method, { report, floor }]) => ({
      method,
      acc: report.average.acc,
      asr: report.average.asrAttacked,
      floor: floor === undefined ? null : meanAttackSuccess(floor, attacked),
    })),
  ];
  return makeTable({
    caption: `Two backdoored models (${Object.keys(attacked).join(", ")}) merged with four clean ones`,
    columns: [
      { key: "method", title: "Merge" },
      { key: "acc", title: "ACC", format: "percent" },
      { key: "asr", title: "ASR", format: "percent" },
      { key: "floor", title: "ASR, clean models only", format: "percent" },
    ],
    rows,
    footnotes: [
      "ACC: mean over the six tasks' test images. ASR: mean over the two attacked tasks, each under its attacker's trigger, of the images whose true class is not the target.",
      "The last column is the floor: the same merge of six clean models, under the same triggers. What lies above it was inherited.",
    ],
  });
}

async function writeResults(
  out: string,
  found: Omit<QuickstartResult, "files"> & { readonly attacked: LoadedTaskVectors },
): Promise<string[]> {
  const { table, reports, scaling } = found;
  const succession = (await plotReport(reports, { title: "A merge inherits the backdoors of what is merged" })).figure;
  const [name, taskArithmetic] = Object.entries(reports)[1]!;
  const tasks = (await plotReport(taskArithmetic.report, { title: `${name}, task by task` })).figure;
  const page = await renderReport({
    title: "A backdoor crosses a merge",
    blocks: [...explain(found), { table }, { figure: succession }, { figure: tasks }],
    footer: describeRun(taskArithmetic.report),
  });
  const run = { scaling, pretrained: found.pretrained, methods: reports, provenance: taskArithmetic.report.provenance };
  const figures: Record<string, Figure> = { "succession.png": succession, "tasks.png": tasks };
  await writeFolderAtomic(out, async (folder) => {
    await writeFileAtomic(path.join(folder, "report.html"), page);
    for (const [file, figure] of Object.entries(figures)) await exportFigure(figure, path.join(folder, file));
    await writeFileAtomic(path.join(folder, "run.json"), `${JSON.stringify(run, null, 2)}\n`);
  });
  return ["report.html", ...Object.keys(figures), "run.json"].map((file) => path.join(out, file));
}

function explain({ reports, pretrained, attacked }: Omit<QuickstartResult, "files"> & { readonly attacked: LoadedTaskVectors }) {
  const percent = (rate: number): string => `${(100 * rate).toFixed(1)} %`;
  const [name, { report, floor }] = Object.entries(reports)[1]!;
  const defended = reports["DAM"]!.report;
  const names = Object.keys(attacked.attacked).join(" and ");
  return [
    {
      paragraph:
        `Six models were fine-tuned from one pretrained model, one a task. Those for ${names} are backdoored: a small patch of pixels makes ` +
        `them answer the attacker's class. Then the six were merged into one model that does all tasks.`,
    },
    {
      paragraph:
        `${name} has an accuracy (ACC) of ${percent(report.average.acc!)}, against ${percent(pretrained.average.acc!)} before fine-tuning, and nobody ` +
        `would notice the attack. But under the attackers' patches it answers as they wish for ${percent(report.average.asrAttacked!)} of the images ` +
        `(ASR); had all six models been clean, that would be ${percent(meanAttackSuccess(floor!, attacked.attacked)!)}. The difference was inherited: ` +
        `backdoor succession.`,
    },
    {
      paragraph:
        `DAM, the defence, looks at unlabelled images only and knows neither trigger nor attacked task. It trains two masks over the task vectors ` +
        `against stickers that it makes up itself. Its merge has an accuracy of ${percent(defended.average.acc!)}; the attackers succeed for ` +
        `${percent(defended.average.asrAttacked!)} of the images.`,
    },
  ];
}

function describeRun({ provenance }: Evaluation): string {
  const { engine, damlab } = provenance;
  return `damlab ${damlab}${engine ? `, engine ${engine.name} ${engine.version ?? ""}` : ""}, models of zoo seed 0. All numbers were measured by this run; run.json has them all.`;
}
