import { readdir, readFile } from "node:fs/promises";
import * as path from "node:path";
import { z } from "zod";
import { loadVisionModel } from "../models";
import { defineCell, type Cell } from "./cell";
import type { JudgedModel } from "./evaluate";
import { hashSuiteFiles } from "./suite";

/** Loads a model from a folder in the Hugging Face layout; what its `run.json` says of attacks goes along. */
export const loadModel: Cell<[folder: string], Record<never, never>, JudgedModel> = defineCell({
  name: "loadModel",
  version: 1,
  summary: "A model from a folder in the Hugging Face layout, with what its run.json says of attacks",
  inputs: ["folder"],
  parameters: z.object({}),
  cache: false,
  engine: false,
  async files([folder]: [folder: string]) {
    const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
      throw new Error(`Cannot load model "${folder}": ${error.code === "ENOENT" ? "there is no such folder" : error.message}`);
    });
    return hashSuiteFiles(
      folder,
      names.filter((name) => /\.(safetensors|safetensors\.index\.json)$|^(config|run)\.json$/.test(name)).sort(),
    );
  },
  async run([folder]) {
    const { config, parameters } = await loadVisionModel(folder);
    return { config, parameters, attacked: await readAttacked(folder), title: path.basename(path.resolve(folder)) };
  },
});

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
