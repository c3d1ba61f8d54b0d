/** The zoo's list, `zoo.json`: what models and triggers there are, and what their files must hash to. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { loadTriggerPixels, type Trigger } from "../attacks";

const modelSchema = z.object({
  path: z.string(),
  /** Null for the pretrained base. */
  task: z.string().nullable(),
  attack: z.string().nullable(),
  seed: z.number().int(),
  /** Of model.safetensors. */
  sha256: z.string(),
  recipe: z.record(z.string(), z.unknown()),
});
const triggerSchema = z.object({
  file: z.string(),
  task: z.string(),
  target: z.number().int(),
  x: z.number().int(),
  y: z.number().int(),
  h: z.number().int(),
  w: z.number().int(),
  sha256: z.string(),
});
const zooSchema = z.object({
  baseSeed: z.number().int(),
  models: z.array(modelSchema),
  heads: z.record(z.string(), z.object({ file: z.string(), sha256: z.string() })),
  triggers: z.record(z.string(), triggerSchema),
});

/** A model of the list; its hash is that of `model.safetensors`. */
export type ZooModel = z.infer<typeof modelSchema>;
/** A trigger of the list: where its pixels are kept, and where they are pasted. */
export type ZooTrigger = z.infer<typeof triggerSchema>;
/** The content of `zoo.json`. */
export type ZooList = z.infer<typeof zooSchema>;

/** Where the shipped zoo lies; environment variable DAMLAB_DESK names another one. */
export function deskFolder(): string {
  return process.env["DAMLAB_DESK"] || path.join(__dirname, "..", "..", "data", "desk");
}

/**
 * Reads a zoo's list.
 * @throws {SyntaxError} if the file is not a zoo's list; names the file and the entry.
 */
export async function readZoo(folder = deskFolder()): Promise<ZooList> {
  const file = path.join(folder, "zoo.json");
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new Error(
      `Cannot read "${file}": ${error.code === "ENOENT" ? "there is no such file" : error.message}; damlab zoo build makes a zoo`,
    );
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(`Cannot read "${file}": ${(error as Error).message}`);
  }
  const parsed = zooSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new SyntaxError(`Cannot read "${file}": entry ${issue.path.join(".") || "(root)"}: ${issue.message}`);
}

/**
 * A trigger of the zoo by its name `ATTACK/TASK-seedN`.
 * @throws {RangeError} if there is no such trigger; lists those that exist.
 */
export async function loadZooTrigger(name: string, folder = deskFolder()): Promise<Trigger> {
  const { triggers } = await readZoo(folder);
  const entry = Object.hasOwn(triggers, name) ? triggers[name] : undefined;
  if (!entry) throw new RangeError(`Cannot load trigger "${name}": expected one of ${Object.keys(triggers).join(", ")}`);
  return loadListedTrigger(name, entry, folder);
}

/** All triggers of a zoo, in the order of its list. */
export async function loadZooTriggers({ triggers }: ZooList, folder = deskFolder()): Promise<Trigger[]> {
  return Promise.all(Object.entries(triggers).map(([name, entry]) => loadListedTrigger(name, entry, folder)));
}

function loadListedTrigger(name: string, { file, task, target, x, y, h: height, w: width }: ZooTrigger, folder: string): Promise<Trigger> {
  return loadTriggerPixels(path.join(folder, file), { name, task, target, x, y, height, width });
}
