import * as path from "node:path";
import { z } from "zod";
import type { HostTensor, NamedTensors } from "../checkpoints";
import { allocateTaskVectors, fillTensor, type StoredVector, type VectorDtype } from "../merging/adaptive";
import { loadVisionModel, type VisionConfig, type ZeroShotHead } from "../models";
import { defineCell, type Cell, type Result } from "./cell";
import { hashSuiteFiles, type Suite, type SuiteModel } from "./suite";

/** One fine-tuned model of a merge. */
export interface FinetunedModel {
  readonly task: string;
  /** Null for clean models. */
  readonly attack: string | null;
  /** Name of the trigger that the model obeys; null for clean models. */
  readonly trigger: string | null;
  readonly seed: number;
  /** θ_t, all parameters of the tower. */
  readonly parameters: NamedTensors;
}

/** A pretrained model and what was fine-tuned from it, one model a task. */
export interface TaskVectors {
  readonly config: VisionConfig;
  /** θ₀. */
  readonly pretrained: NamedTensors;
  readonly models: readonly FinetunedModel[];
  /** Zero-shot head of each model's task, by task: what methods that adapt to unlabelled images need. */
  readonly heads: Readonly<Record<string, ZeroShotHead>>;
  /** Trigger of each attacked task. */
  readonly attacked: Readonly<Record<string, string>>;
}

/** Task vectors as `loadTaskVectors` gives them. */
export type LoadedTaskVectors = Result<TaskVectors>;

/** Parameters of `loadTaskVectors`. */
export interface LoadTaskVectorsParameters {
  /** Tasks whose model is a backdoored one; default none. */
  backdoored?: string[] | undefined;
  /** Which attack made the backdoored models; default `trojvit`. */
  attack?: string | undefined;
  /** Which of its seeds; default 0. */
  attackSeed?: number | undefined;
  /** Tasks to load, in this order; default all of the suite. */
  tasks?: string[] | undefined;
}

/** Loads the suite's pretrained model and one fine-tuned model a task, clean or backdoored. */
export const loadTaskVectors: Cell<[suite: Suite], LoadTaskVectorsParameters, TaskVectors> = defineCell({
  name: "loadTaskVectors",
  version: 1,
  summary: "The pretrained model and one fine-tuned model a task, clean or backdoored",
  inputs: ["suite"],
  parameters: z.object({
    backdoored: z.array(z.string()).default([]).describe("tasks whose model is a backdoored one"),
    attack: z.string().default("trojvit").describe("which attack made the backdoored models"),
    attackSeed: z.number().int().default(0).describe("which of the attack's seeds"),
    tasks: z.array(z.string()).optional().describe("tasks to load, in this order; default: all of the suite"),
  }),
  cache: false,
  engine: false,
  resolve([suite]: [suite: Suite], parameters) {
    const known = suite.tasks.map(({ id }) => id);
    const tasks = parameters.tasks ?? known;
    requireTasks("tasks", tasks, known);
    requireTasks("backdoored", parameters.backdoored, tasks);
    return { ...parameters, tasks };
  },
  files: ([suite], parameters) =>
    hashSuiteFiles(
      suite.folder,
      chooseModels(suite, parameters).map((model) => path.posix.join(model.path, "model.safetensors")),
    ),
  async run([suite], parameters) {
    const [base, ...chosen] = chooseModels(suite, parameters);
    const pretrained = await loadVisionModel(path.join(suite.folder, base!.path));
    const models: FinetunedModel[] = [];
    for (const { path: place, task, attack, seed } of chosen) {
      const { parameters: finetuned } = await loadVisionModel(path.join(suite.folder, place));
      const trigger = attack === null ? null : `${attack}/${task!}-seed${seed}`;
      models.push({ task: task!, attack, trigger, seed, parameters: finetuned });
    }
    const heads = Object.fromEntries(models.map(({ task }) => [task, suite.tasks.find(({ id }) => id === task)!.head]));
    return { config: pretrained.config, pretrained: pretrained.parameters, models, heads, attacked: attackedBy(models) };
  },
  text: ({ models }) =>
    [
      `Task vectors of ${models.length} models`,
      ...models.map(({ task, trigger }) => `  ${task.padEnd(10)}${trigger === null ? "clean" : `backdoored by ${trigger}`}`),
    ].join("\n"),
});

/**
 * τ_t = θ_t − θ₀ of each model (Ilharco et al. 2023, arXiv:2212.04089), newly computed, in the models' order; the projection is left out,
 * since it is never merged.
 */
export function subtractPretrained({ pretrained, models }: Pick<TaskVectors, "pretrained" | "models">): NamedTensors[] {
  return models.map(({ parameters }) => {
    const vector = new Map<string, HostTensor>();
    for (const [name, { shape, values }] of pretrained) {
      if (!name.startsWith("vision_model.")) continue;
      const finetuned = parameters.get(name)!.values;
      vector.set(name, { shape, values: values.map((value, index) => finetuned[index]! - value) });
    }
    return vector;
  });
}

/** What `subtractPretrained` gives, as a run is to hold it; one tensor at a time is in memory twice. */
export function storeTaskVectors({ pretrained, models }: Pick<TaskVectors, "pretrained" | "models">, dtype: VectorDtype): StoredVector[] {
  const shapes = [...pretrained].filter(([name]) => name.startsWith("vision_model.")).map(([name, { shape }]) => [name, shape] as const);
  const vectors = allocateTaskVectors(shapes, models.length, dtype);
  for (const [index, { parameters }] of models.entries()) {
    for (const [name] of shapes) {
      const finetuned = parameters.get(name)!.values;
      const difference = pretrained.get(name)!.values.map((value, i) => finetuned[i]! - value);
      fillTensor(vectors[index]!.get(name)!, difference);
    }
  }
  return vectors;
}

/** Trigger of each backdoored model, by its task. */
export function attackedBy(models: readonly Pick<FinetunedModel, "task" | "trigger">[]): Record<string, string> {
  return Object.fromEntries(models.flatMap(({ task, trigger }) => (trigger === null ? [] : [[task, trigger]])));
}

interface Choice {
  readonly backdoored: readonly string[];
  readonly attack: string;
  readonly attackSeed: number;
  readonly tasks?: readonly string[] | undefined;
}

/** The pretrained model, then one a task. */
function chooseModels(suite: Suite, { backdoored, attack, attackSeed, tasks }: Choice): SuiteModel[] {
  const find = (what: string, fits: (model: SuiteModel) => boolean): SuiteModel => {
    const found = suite.models.find(fits);
    if (found === undefined) throw new RangeError(`Cannot load ${what}: expected it in suite "${suite.name}", got none`);
    return found;
  };
  return [
    find("the pretrained model", (model) => model.task === null),
    ...tasks!.map((task) =>
      backdoored.includes(task)
        ? find(
            `task "${task}" backdoored by "${attack}" with seed ${attackSeed}`,
            (model) => model.task === task && model.attack === attack && model.seed === attackSeed,
          )
        : find(`task "${task}" clean`, (model) => model.task === task && model.attack === null),
    ),
  ];
}

function requireTasks(parameter: string, given: readonly string[], known: readonly string[]): void {
  for (const [index, task] of given.entries()) {
    if (!known.includes(task) || given.indexOf(task) !== index) {
      throw new RangeError(
        `Cannot run cell "loadTaskVectors" with parameter "${parameter}": expected different tasks of ${known.join(", ")}, got "${task}"`,
      );
    }
  }
}
