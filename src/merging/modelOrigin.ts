import { readFile, realpath } from "node:fs/promises";
import * as path from "node:path";

/** Where a fine-tuned model comes from, as far as its records say. */
export interface ModelOrigin {
  /** Task id. */
  readonly task: string;
  /** Which record named the task. */
  readonly taskFrom: "recipe" | "run.json" | "zoo.json" | "name";
  /** Name of the attack that poisoned it; null for clean models and where no record says. */
  readonly attack: string | null;
  /** The attack's trigger, `ATTACK/TASK-seedN`; null without attack. */
  readonly trigger: string | null;
  /** Seed of its training; null where no record says. */
  readonly seed: number | null;
}

type Fields = Readonly<Record<string, unknown>>;

/** Folders above a model that are searched for a `zoo.json`. */
const ZOO_LEVELS = 4;

/**
 * Finds a model's origin: its own `run.json`, else the `zoo.json` of a folder above that lists it, else its name up to `-seed`.
 * @param place Hugging Face folder or `.safetensors` file.
 * @param task Overrides the task that the records give.
 */
export async function findModelOrigin(place: string, task?: string): Promise<ModelOrigin> {
  const own = place.endsWith(".safetensors") ? undefined : await readFields(path.join(place, "run.json"));
  const listed = await findInZoo(place);
  const name = path.basename(place, ".safetensors").replace(/-seed.*$/, "");
  const fields: Fields = { ...listed, ...(typeof own?.task === "string" ? own : {}) };
  const recorded = typeof fields.task === "string" ? fields.task : undefined;
  const taskFrom =
    task !== undefined ? "recipe" : typeof own?.task === "string" ? "run.json" : recorded !== undefined ? "zoo.json" : "name";
  const attack = typeof fields.attack === "string" && fields.attack !== "none" && fields.attack !== "clean" ? fields.attack : null;
  const seed = typeof fields.seed === "number" ? fields.seed : null;
  const owner = task ?? recorded ?? name;
  const named = typeof fields.trigger === "string" ? fields.trigger : `${attack}/${recorded ?? owner}-seed${seed ?? 0}`;
  return { task: owner, taskFrom, attack, trigger: attack === null ? null : named, seed };
}

async function findInZoo(place: string): Promise<Fields | undefined> {
  const model = await realpath(place).catch(() => path.resolve(place));
  let folder = path.dirname(model);
  for (let level = 0; level < ZOO_LEVELS; level++, folder = path.dirname(folder)) {
    const zoo = await readFields(path.join(folder, "zoo.json"));
    if (zoo === undefined || !Array.isArray(zoo.models)) continue;
    const entries = zoo.models as readonly Fields[];
    const entry = entries.find(({ path: listed }) => typeof listed === "string" && holds(folder, listed, model));
    if (entry !== undefined) return entry;
  }
  return undefined;
}

/** Paths in `zoo.json` start from its folder or from the root of the repository above it. */
function holds(folder: string, listed: string, model: string): boolean {
  const places = [path.resolve(folder, listed), path.resolve(folder, "..", "..", listed)];
  return places.some(
    (place) => place === model || path.join(place, "model.safetensors") === model || place === path.join(model, "model.safetensors"),
  );
}

/** A JSON object, or undefined where there is no such file; a record that can't be read is not a reason to stop a merge. */
async function readFields(file: string): Promise<Fields | undefined> {
  try {
    const value = JSON.parse(await readFile(file, "utf8")) as unknown;
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}
