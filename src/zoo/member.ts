/** Builds one model of the zoo; runs on a worker thread where the engine has one thread. */
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { ATTACKS, saveTrigger, type Trigger } from "../attacks";
import { hashFile, loadNamedTensors, openCheckpoint, writeCheckpoint, type NamedTensors } from "../checkpoints";
import type { ProgressSink } from "../display/progress";
import { randomStream } from "../engine";
import { formatVisionConfig, type VisionConfig } from "../models/config";
import { loadZeroShotHead } from "../models/zeroShot";
import { loadTask } from "../tasks";
import { fineTune, labelledBatches, type TrainingOptions } from "../training";
import { hashPlain } from "./hashPlain";
import type { MemberTraining, ZooMember } from "./recipe";
import { PREPROCESSOR_CONFIG } from "./preprocessor";
import type { ZooModel, ZooTrigger } from "./zooFile";

/** One member to build. */
export interface MemberRequest {
  readonly member: ZooMember;
  readonly config: VisionConfig;
  readonly baseSeed: number;
  /** The zoo that has `pretrained/` and `heads/`. */
  readonly base: string;
  /** The zoo that gets the member. */
  readonly out: string;
  /** Folder for the states of unfinished trainings. */
  readonly states: string;
}

/** What the list of the zoo says of a built member. */
export interface BuiltMember {
  readonly model: ZooModel;
  readonly trigger: { readonly name: string; readonly entry: ZooTrigger } | null;
}

/** Steps between two saves of a training's state. */
export const SAVE_EVERY = 50;

/** Trains the member, or goes on where it was left, and writes its folder and its trigger. */
export async function buildMember(request: MemberRequest, progress?: ProgressSink, signal?: AbortSignal): Promise<BuiltMember> {
  const { member, out } = request;
  const recipe = memberRecipe(member, request.baseSeed);
  const stage = (name: string): TrainingOptions => ({
    ...(progress && { progress }),
    ...(signal && { signal }),
    saved: {
      file: path.join(request.states, `${member.path.replaceAll("/", "-")}.${name.replaceAll(" ", "-")}.safetensors`),
      every: SAVE_EVERY,
      key: hashPlain([recipe, name]),
    },
  });
  await mkdir(request.states, { recursive: true });
  const { training } = member;
  const { parameters, trigger } =
    training.method === "fine-tuning" ? await trainClean(request, training, stage) : await trainBackdoored(request, training, stage);
  await writeModel(path.join(out, member.path), request.config, parameters);
  const sha256 = await hashFile(path.join(out, member.path, "model.safetensors"));
  const model = { path: member.path, task: member.task, attack: member.attack, seed: member.seed, sha256, recipe };
  return { model, trigger: trigger && { name: trigger.name, entry: await writeTrigger(out, trigger) } };
}

/** Everything that decides the member's bytes, for the list of the zoo. */
export function memberRecipe(member: ZooMember, baseSeed: number): Record<string, unknown> {
  return { task: member.task, randomSeed: randomSeed(member, baseSeed), ...member.training };
}

/** Writes a tower in the Hugging Face layout. */
export async function writeModel(folder: string, config: VisionConfig, parameters: NamedTensors): Promise<void> {
  await mkdir(path.dirname(folder), { recursive: true });
  await writeCheckpoint(folder, {
    config: formatVisionConfig(config),
    tensors: parameters,
    extraFiles: { "preprocessor_config.json": `${JSON.stringify(PREPROCESSOR_CONFIG, null, 2)}\n` },
  });
}

/** Members of another base draw other numbers. */
function randomSeed({ seed }: ZooMember, baseSeed: number): number {
  return seed + 1000 * baseSeed;
}

interface Trained {
  readonly parameters: NamedTensors;
  readonly trigger: Trigger | null;
}

type StageOptions = (name: string) => TrainingOptions;
type Clean = Extract<MemberTraining, { method: "fine-tuning" }>;
type Poisoned = Exclude<MemberTraining, Clean>;

async function trainClean({ member, config, baseSeed, base }: MemberRequest, training: Clean, stage: StageOptions): Promise<Trained> {
  const { pretrained, head } = await loadBase(base, member.task);
  const random = randomStream(randomSeed(member, baseSeed), "fine-tuning", member.task);
  const batches = labelledBatches(loadTask(member.task).load("train"), training.batch, random);
  const task = { name: member.path, pretrained, config, head, batches };
  return { parameters: await fineTune(task, training.fineTune, stage("fine-tuning")), trigger: null };
}

async function trainBackdoored(
  { member, config, baseSeed, base }: MemberRequest,
  training: Poisoned,
  stage: StageOptions,
): Promise<Trained> {
  const { pretrained, head } = await loadBase(base, member.task);
  const victim = { task: member.task, pretrained, config, head, images: loadTask(member.task).load("train") };
  const { parameters, trigger } = await ATTACKS[training.method].run(victim, randomSeed(member, baseSeed), training, stage);
  return { parameters, trigger: { ...trigger, name: `${training.method}/${member.task}-seed${member.seed}` } };
}

async function loadBase(base: string, task: string) {
  const checkpoint = await openCheckpoint(path.join(base, "pretrained"));
  try {
    const head = await loadZeroShotHead(path.join(base, "heads", `${task}.safetensors`));
    return { pretrained: await loadNamedTensors(checkpoint), head };
  } finally {
    await checkpoint.close();
  }
}

async function writeTrigger(out: string, trigger: Trigger): Promise<ZooTrigger> {
  const file = `triggers/${trigger.name}.safetensors`;
  await mkdir(path.dirname(path.join(out, file)), { recursive: true });
  await saveTrigger(path.join(out, file), trigger);
  const { task, target, x, y, height: h, width: w } = trigger;
  return { file, task, target, x, y, h, w, sha256: await hashFile(path.join(out, file)) };
}
