/** Checks a zoo: every file is what the list says, and members come out of the recipe again byte for byte. */
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { hashFile } from "../checkpoints";
import type { ProgressSink } from "../display/progress";
import { randomStream } from "../engine";
import { buildMembers } from "./build";
import { DESK_RECIPE, type ZooMember, type ZooRecipe } from "./recipe";
import { deskFolder, readZoo, type ZooList } from "./zooFile";

/** What is checked. */
export interface VerifyZooOptions {
  /** How the zoo was made; default the shipped zoo's recipe. */
  readonly recipe?: ZooRecipe;
  /** Members to build again: `all`, a member's path, or how many to choose at random. Default 0. */
  readonly rebuild?: "all" | string | number;
  /** Decides which members are chosen. */
  readonly seed?: number;
  readonly progress?: ProgressSink;
  readonly signal?: AbortSignal;
}

/** One thing that was checked. */
export interface ZooCheck {
  readonly file: string;
  readonly expected: string;
  readonly found: string;
  readonly how: "hash" | "rebuilt";
}

/** All checks; those that hold have equal hashes. */
export async function verifyZoo(folder = deskFolder(), options: VerifyZooOptions = {}): Promise<ZooCheck[]> {
  const zoo = await readZoo(folder);
  const listed = [
    ...zoo.models.map(({ path: model, sha256 }) => ({ file: `${model}/model.safetensors`, sha256 })),
    ...Object.values(zoo.heads),
    ...Object.values(zoo.triggers),
  ];
  const checks: ZooCheck[] = [];
  for (const { file, sha256 } of listed) {
    const found = await hashFile(path.join(folder, file)).catch((error: NodeJS.ErrnoException) => error.code ?? error.message);
    checks.push({ file, expected: sha256, found, how: "hash" });
  }
  return [...checks, ...(await rebuild(folder, zoo, chooseMembers(options), options))];
}

async function rebuild(
  folder: string,
  { baseSeed, models }: ZooList,
  members: readonly ZooMember[],
  options: VerifyZooOptions,
): Promise<ZooCheck[]> {
  if (members.length === 0) return [];
  const { config } = options.recipe ?? DESK_RECIPE;
  const out = await mkdtemp(path.join(os.tmpdir(), "damlab-zoo-"));
  try {
    const request = { config, baseSeed, base: folder, out, states: path.join(out, ".states") };
    const built = await buildMembers(members, request, { model: models[0]! }, options);
    return built.map(({ model }) => ({
      file: `${model.path}/model.safetensors`,
      expected: models.find(({ path: listed }) => listed === model.path)!.sha256,
      found: model.sha256,
      how: "rebuilt",
    }));
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

function chooseMembers({ rebuild: choice = 0, seed = 0, recipe: { members } = DESK_RECIPE }: VerifyZooOptions): readonly ZooMember[] {
  if (choice === "all") return members;
  if (typeof choice === "number") {
    return [...randomStream(seed, "zoo", "verify").permutation(members.length)].slice(0, choice).map((index) => members[index]!);
  }
  const member = members.find(({ path: name }) => name === choice);
  if (member) return [member];
  throw new RangeError(`Cannot rebuild "${choice}": expected all, a number, or one of ${members.map((each) => each.path).join(", ")}`);
}
