/** Builds a whole zoo: the base, then all members, in parallel where the engine has one thread. */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { hashFile, writeFileAtomic } from "../checkpoints";
import { silentProgress, type ProgressSink } from "../display/progress";
import { createWorkers, isSingleThreaded, runningEngine, startEngine } from "../engine";
import { baseRecipe, buildBase, type BuiltBase } from "./base";
import { buildMember, memberRecipe, type BuiltMember, type MemberRequest } from "./member";
import { showChannelProgress } from "./progressChannel";
import { DESK_RECIPE, type ZooMember, type ZooRecipe } from "./recipe";
import { hashPlain } from "./hashPlain";
import type { ZooList } from "./zooFile";

/** How a zoo is built. */
export interface BuildZooOptions {
  /** Default: the shipped zoo's. */
  readonly recipe?: ZooRecipe;
  /** Seed of the base: weights, pre-training images and order; the members of another base draw other numbers too. Default 0. */
  readonly baseSeed?: number;
  readonly progress?: ProgressSink;
  readonly signal?: AbortSignal;
  /** Worker threads; default one a core on single-threaded engines. The bytes do not depend on it. */
  readonly workers?: number;
}

/**
 * Builds the zoo in a folder, or goes on where a killed build was left; the bytes are the same. Unfinished states lie in `.states/` and are
 * deleted at the end.
 */
export async function buildZoo(out: string, options: BuildZooOptions = {}): Promise<ZooList> {
  const { baseSeed = 0, recipe = DESK_RECIPE } = options;
  const states = path.join(out, ".states");
  await mkdir(states, { recursive: true });
  const base = await remember(
    path.join(states, "base.json"),
    baseRecipe(recipe, baseSeed),
    [path.join(out, "pretrained", "model.safetensors")],
    () => buildBase(recipe, baseSeed, out, states, options),
  );
  const built = await buildMembers(recipe.members, { config: recipe.config, baseSeed, base: out, out, states }, base, options);
  const zoo = listZoo(baseSeed, base, built);
  await writeFileAtomic(path.join(out, "zoo.json"), `${JSON.stringify(zoo, null, 2)}\n`);
  await rm(states, { recursive: true });
  return zoo;
}

/** Builds some members on top of a base that is there. */
export async function buildMembers(
  members: readonly ZooMember[],
  request: Omit<MemberRequest, "member">,
  base: Pick<BuiltBase, "model">,
  { progress = silentProgress, signal, workers: count }: BuildZooOptions = {},
): Promise<BuiltMember[]> {
  const once = (member: ZooMember, build: () => Promise<BuiltMember>): Promise<BuiltMember> => {
    const note = path.join(request.states, `${member.path.replaceAll("/", "-")}.json`);
    const key = { recipe: memberRecipe(member, request.baseSeed), base: base.model.sha256 };
    return remember(note, key, [path.join(request.out, member.path, "model.safetensors")], build);
  };
  const engine = runningEngine() ?? (await startEngine());
  if (!isSingleThreaded(engine.name)) {
    const built: BuiltMember[] = [];
    for (const member of members) built.push(await once(member, () => buildMember({ ...request, member }, progress, signal)));
    return built;
  }
  const workers = await createWorkers(
    path.join(__dirname, `memberWorker${path.extname(__filename)}`),
    count === undefined ? {} : { count },
  );
  const channel = `damlab-zoo-${randomUUID()}`;
  const hide = showChannelProgress(channel, progress);
  try {
    const run = (member: ZooMember) => workers.run<BuiltMember>("buildMember", { request: { ...request, member }, channel }, signal);
    return await Promise.all(members.map((member) => once(member, () => run(member))));
  } finally {
    hide();
    await workers.close();
  }
}

/** The content of `zoo.json`. */
function listZoo(baseSeed: number, base: BuiltBase, built: readonly BuiltMember[]): ZooList {
  return {
    baseSeed,
    models: [base.model, ...built.map(({ model }) => model)],
    heads: base.heads,
    triggers: Object.fromEntries(built.flatMap(({ trigger }) => (trigger ? [[trigger.name, trigger.entry]] : []))),
  };
}

/** What a finished step returned, if it was for the same key and its files are as it left them; else does the step. */
async function remember<T>(note: string, key: unknown, files: readonly string[], work: () => Promise<T>): Promise<T> {
  const hash = hashPlain(key);
  const hashes = async (): Promise<string[]> => Promise.all(files.map(hashFile));
  if (existsSync(note) && files.every((file) => existsSync(file))) {
    const saved = JSON.parse(await readFile(note, "utf8")) as { hash: string; files: string[]; result: T };
    if (saved.hash === hash && saved.files.join() === (await hashes()).join()) return saved.result;
  }
  const result = await work();
  await writeFileAtomic(note, JSON.stringify({ hash, files: await hashes(), result }));
  return result;
}
