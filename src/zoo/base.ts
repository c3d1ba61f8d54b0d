/** The pretrained base and the frozen zero-shot heads that come out of the same run. */
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { createWorkers, isSingleThreaded, runningEngine, startEngine } from "../engine";
import { hashFile } from "../checkpoints";
import type { ProgressSink } from "../display/progress";
import { saveZeroShotHead } from "../models/zeroShot";
import { classOffset, loadPretrainingSet, loadTask, TASK_IDS } from "../tasks";
import { classificationGradient, pretrain, type PieceGradient, type StepGradient, type TrainingOptions } from "../training";
import { hashPlain } from "./hashPlain";
import { SAVE_EVERY, writeModel } from "./member";
import type { ZooRecipe } from "./recipe";
import type { ZooList, ZooModel } from "./zooFile";

/** What the list of the zoo says of the base. */
export interface BuiltBase {
  readonly model: ZooModel;
  readonly heads: ZooList["heads"];
}

/** Everything that decides the base's bytes. */
export function baseRecipe({ config, images, pretrain: training }: ZooRecipe, baseSeed: number): Record<string, unknown> {
  return { method: "pre-training", randomSeed: baseSeed, config, images, ...training };
}

/** Trains the base, or goes on where it was left, and writes `pretrained/` and `heads/`. */
export async function buildBase(
  zoo: ZooRecipe,
  baseSeed: number,
  out: string,
  states: string,
  { progress, signal, workers: count }: { progress?: ProgressSink; signal?: AbortSignal; workers?: number } = {},
): Promise<BuiltBase> {
  const recipe = baseRecipe(zoo, baseSeed);
  await mkdir(states, { recursive: true });
  const options: TrainingOptions = {
    saved: { file: path.join(states, "pretrained.safetensors"), every: SAVE_EVERY, key: hashPlain(recipe) },
    ...(progress && { progress }),
    ...(signal && { signal }),
  };
  const images = loadPretrainingSet({ seed: baseSeed, ...zoo.images });
  const { parameters, classes } = await withPieces(count, signal, (computePiece) =>
    pretrain(zoo.config, images, baseSeed, zoo.pretrain, computePiece, options),
  );
  await writeModel(path.join(out, "pretrained"), zoo.config, parameters);
  const sha256 = await hashFile(path.join(out, "pretrained", "model.safetensors"));
  return {
    model: { path: "pretrained", task: null, attack: null, seed: baseSeed, sha256, recipe },
    heads: await writeHeads(zoo, out, classes),
  };
}

async function withPieces<T>(
  count: number | undefined,
  signal: AbortSignal | undefined,
  body: (pieces: PieceGradient) => Promise<T>,
): Promise<T> {
  const engine = runningEngine() ?? (await startEngine());
  if (!isSingleThreaded(engine.name)) return body(classificationGradient);
  const entry = path.join(path.dirname(__dirname), "training", `gradientWorker${path.extname(__filename)}`);
  const workers = await createWorkers(entry, count === undefined ? {} : { count });
  try {
    return await body((task, parameters, batch) => workers.run<StepGradient>("computePiece", { task, parameters, batch }, signal));
  } finally {
    await workers.close();
  }
}

/** Rows of a task's own classes, normalised. */
async function writeHeads(zoo: ZooRecipe, out: string, classes: Float32Array): Promise<ZooList["heads"]> {
  const dim = zoo.config.projectionSize;
  const logitScale = Math.log(zoo.pretrain.scale);
  await mkdir(path.join(out, "heads"), { recursive: true });
  const heads: ZooList["heads"] = {};
  for (const task of TASK_IDS) {
    const count = loadTask(task).classes.length;
    const rows = classes.slice(classOffset(task) * dim, (classOffset(task) + count) * dim);
    for (let row = 0; row < count; row++) normalize(rows.subarray(row * dim, (row + 1) * dim));
    const file = `heads/${task}.safetensors`;
    await saveZeroShotHead(path.join(out, file), { weight: { shape: [count, dim], values: rows }, logitScale });
    heads[task] = { file, sha256: await hashFile(path.join(out, file)) };
  }
  return heads;
}

function normalize(row: Float32Array): void {
  const norm = Math.hypot(...row);
  row.forEach((value, index) => (row[index] = value / norm));
}
