import { readdir, readFile } from "node:fs/promises";
import * as path from "node:path";
import { z } from "zod";
import { loadVisionModel } from "../models";
import { defineCell, type Cell } from "./cell";
import type { JudgedModel } from "./evaluate";
import { hashSuiteFiles } from "./suite";

/** Where a model lies. */
export interface ModelPlace {
  readonly folder: string;
  /** Folder of the pretrained model, from which the projection is taken where the model lacks it. */
  readonly base: string;
}

/** Loads a model from a folder in the Hugging Face layout; what its `run.json` says of attacks goes along. */
export const loadModel: Cell<[place: string | ModelPlace], Record<never, never>, JudgedModel> = defineCell({
  name: "loadModel",
  version: 1,
  summary: "A model from a folder in the Hugging Face layout, with what its run.json says of attacks",
  inputs: ["place"],
  parameters: z.object({}),
  cache: false,
  engine: false,
  identify: ([place]: [place: string | ModelPlace]) => ({ place: titleOf(folderOf(place)) }),
  async files([place]: [place: string | ModelPlace]) {
    const folder = folderOf(place);
    const names = await listCheckpoint(folder);
    const own = await hashSuiteFiles(folder, names);
    if (typeof place === "string") return own;
    const base = await hashSuiteFiles(
      place.base,
      (await listCheckpoint(place.base)).filter((name) => name !== "run.json"),
    );
    return { ...own, ...Object.fromEntries(Object.entries(base).map(([name, hash]) => [`base/${name}`, hash])) };
  },
  async run([place]) {
    const folder = folderOf(place);
    const { config, parameters } = await loadVisionModel(folder, typeof place === "string" ? {} : { base: place.base });
    return { config, parameters, attacked: await readAttacked(folder), title: titleOf(folder) };
  },
});

function folderOf(place: string | ModelPlace): string {
  return typeof place === "string" ? place : place.folder;
}

function titleOf(folder: string): string {
  return path.basename(path.resolve(folder));
}

async function listCheckpoint(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`Cannot load model "${folder}": ${error.code === "ENOENT" ? "there is no such folder" : error.message}`);
  });
  return names.filter((name) => /\.(safetensors|safetensors\.index\.json)$|^(config|run)\.json$/.test(name)).sort();
}

/** Trigger of each attacked task, as `run.json` says of the models that were merged, or of the model itself; none where it says nothing. */
async function readAttacked(folder: string): Promise<Record<string, string>> {
  const text = await readFile(path.join(folder, "run.json"), "utf8").catch(() => "{}");
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(`Cannot read "${path.join(folder, "run.json")}": ${(error as Error).message}`);
  }
  const { models } = (record ?? {}) as { models?: unknown };
  const entries = (Array.isArray(models) ? models : [record]) as readonly ({ task?: unknown; trigger?: unknown } | null)[];
  const attacked = entries.flatMap((entry) =>
    typeof entry?.task === "string" && typeof entry.trigger === "string" ? [[entry.task, entry.trigger]] : [],
  );
  return Object.fromEntries(attacked) as Record<string, string>;
}
