import * as path from "node:path";
import { z } from "zod";
import type { Trigger } from "../attacks";
import { hashFile } from "../checkpoints";
import { loadZeroShotHead, type ZeroShotHead } from "../models";
import { loadTask, TASK_IDS } from "../tasks";
import { deskFolder, loadZooTriggers, readZoo } from "../zoo";
import { defineCell, type Cell, type Result } from "./cell";

/** One task of a suite. */
export interface SuiteTask {
  readonly id: string;
  /** Says where images are procedural. */
  readonly title: string;
  readonly classes: readonly string[];
  /** The frozen zero-shot head. */
  readonly head: ZeroShotHead;
}

/** One model of a suite's zoo. */
export interface SuiteModel {
  /** Folder below the suite's, such as `clean/mnist`. */
  readonly path: string;
  /** Null for the pretrained model. */
  readonly task: string | null;
  /** Such as `trojvit`; null for clean models. */
  readonly attack: string | null;
  readonly seed: number;
}

/** Tasks, and the zoo of models and triggers that belongs to them. */
export interface Suite {
  readonly name: string;
  /** Where the zoo lies. */
  readonly folder: string;
  readonly tasks: readonly SuiteTask[];
  readonly models: readonly SuiteModel[];
  readonly triggers: readonly Trigger[];
}

/** A suite as `loadSuite` gives it. */
export type LoadedSuite = Result<Suite>;

/**
 * Loads a suite: `desk`, the six small tasks that come with this package, or the folder of another zoo of the same tasks. Images and models
 * are read when they are needed.
 */
export const loadSuite: Cell<[name: string], Record<never, never>, Suite> = defineCell({
  name: "loadSuite",
  version: 1,
  summary: "A suite of tasks with its zoo of models and triggers",
  inputs: ["name"],
  parameters: z.object({}),
  cache: false,
  engine: false,
  identify: ([name]: [name: string]) => ({ name: path.basename(name) }),
  async files([name]: [name: string]) {
    const folder = suiteFolder(name);
    const { heads, triggers } = await readZoo(folder);
    const files = ["zoo.json", ...Object.values(heads).map(({ file }) => file), ...Object.values(triggers).map(({ file }) => file)];
    return hashSuiteFiles(folder, files);
  },
  async run([name]) {
    const folder = suiteFolder(name);
    const zoo = await readZoo(folder);
    const tasks: SuiteTask[] = [];
    for (const id of TASK_IDS) {
      const { title, classes } = loadTask(id);
      const head = zoo.heads[id];
      if (head === undefined)
        throw new RangeError(`Cannot load suite "${name}": expected a head for task "${id}" in its zoo.json, got none`);
      tasks.push({ id, title, classes, head: await loadZeroShotHead(path.join(folder, head.file)) });
    }
    const triggers = await loadZooTriggers(zoo, folder);
    const models = zoo.models.map(({ path: place, task, attack, seed }) => ({ path: place, task, attack: attack ?? null, seed }));
    return { name, folder, tasks, models, triggers };
  },
  text: ({ name, tasks, models, triggers }) =>
    [
      `Suite ${name}: ${models.length} models, ${triggers.length} triggers`,
      ...tasks.map(({ id, title, classes }) => `  ${id.padEnd(10)}${title}, ${classes.length} classes`),
    ].join("\n"),
});

/** SHA-256 of files below a suite's folder, by their names there. */
export async function hashSuiteFiles(folder: string, files: readonly string[]): Promise<Record<string, string>> {
  const hashes = await Promise.all(files.map((file) => hashFile(path.join(folder, file))));
  return Object.fromEntries(files.map((file, index) => [file, hashes[index]!]));
}

function suiteFolder(name: string): string {
  return name === "desk" ? deskFolder() : name;
}
