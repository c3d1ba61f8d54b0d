import { setMaxListeners } from "node:events";
import { z } from "zod";
import { allMethods } from "../defenses";
import { planTriggers } from "../evaluation";
import { tableToHtml, tableToText } from "../figures";
import { findMethod, parseOptions } from "../merging";
import { defineCell, type Cell, type Result } from "./cell";
import { countPieces, SweepBench } from "./sweepBench";
import { openSweepLab } from "./sweepLab";
import { listRuns } from "./sweepRuns";
import { sweepTable } from "./sweepTable";
import type { Sweep, SweepPoint } from "./sweepTypes";
import type { Suite } from "./suite";
import { loadTaskVectors, type TaskVectors } from "./taskVectors";

export type { Sweep, SweepPoint };

/** A sweep as `sweepAlpha` gives it. */
export type SweptAlpha = Result<Sweep>;

/** Parameters of `sweepAlpha`. */
export interface SweepAlphaParameters {
  /** α of DAM. */
  alphas?: number[] | undefined;
  /** Seeds of the methods that draw random numbers. */
  seeds?: number[] | undefined;
  /** Names in the table of methods. */
  methods?: string[] | undefined;
  /** Scales by method; λ where the method has one for everything, else factors of its final coefficients. */
  scales?: Record<string, number[] | undefined> | undefined;
  /** Options by method. */
  options?: Record<string, Record<string, unknown> | undefined> | undefined;
  /** Which points have their floor measured: `default` those of each baseline's own scale, and DAM at `floorAlphas`. */
  floors?: "none" | "default" | "all" | undefined;
  floorAlphas?: number[] | undefined;
  /** Whether DAM is also judged before its final stage. */
  before?: boolean | undefined;
  triggers?: "own" | "attacked" | undefined;
  split?: "train" | "validation" | "test" | undefined;
  limit?: number | undefined;
  adaptOn?: "adapt" | "test" | undefined;
  /** Unlabelled images a task on which DAM's merges are looked at as their user can; 0: not. */
  viewImages?: number | undefined;
}

const parameters = z.object({
  alphas: z.array(z.number().min(0)).default([0, 0.25, 0.5, 1, 2, 40]).describe("weights of DAM's safety loss"),
  seeds: z.array(z.number().int()).min(1).default([0]).describe("seeds of the methods that draw random numbers"),
  methods: z
    .array(z.string())
    .default(["average", "task_arithmetic", "ties", "adamerging", "concrete_adamerging", "dam"])
    .describe("names in the table of methods"),
  scales: z
    .record(z.string(), z.array(z.number()).min(1).optional())
    .default({})
    .describe("by method: its λ, or factors of its final coefficients; default: the baselines' fronts, 1 for DAM"),
  options: z.record(z.string(), z.record(z.string(), z.unknown()).optional()).default({}).describe("by method: its options"),
  floors: z
    .enum(["none", "default", "all"])
    .default("default")
    .describe("which points are measured on clean models too; default: baselines at their own scale, DAM at floorAlphas"),
  floorAlphas: z.array(z.number()).default([]).describe("alphas whose floor is measured where floors is default"),
  before: z.boolean().default(true).describe("whether DAM is also judged before its final stage"),
  triggers: z.enum(["own", "attacked"]).default("attacked").describe("own: clean tasks under their latent triggers too"),
  split: z.enum(["train", "validation", "test"]).default("test").describe("test for what is reported, validation for every choice"),
  limit: z.number().int().min(1).optional().describe("at most so many images a task; default: all"),
  adaptOn: z.enum(["adapt", "test"]).default("adapt").describe("whose unlabelled images are adapted on"),
  viewImages: z.number().int().min(0).default(0).describe("unlabelled images a task on which a user would look at DAM's merges; 0: none"),
});

/**
 * Runs DAM over α, and the baselines over the scale of their coefficients, and judges each model. Each merge and each point is kept by its own
 * key: a killed sweep goes on where it was, and another α computes only what is new. Methods with one λ are merged once at λ = 1 and scaled,
 * which rounds otherwise than a merge at λ (by about 1e-7).
 */
export const sweepAlpha: Cell<[vectors: TaskVectors, suite: Suite], SweepAlphaParameters, Sweep> = defineCell({
  name: "sweepAlpha",
  version: 1,
  summary: "DAM over alpha, baselines over the scale of their coefficients, each model judged",
  inputs: ["vectors", "suite"],
  cache: false,
  parameters,
  resolve(_: [vectors: TaskVectors, suite: Suite], given) {
    for (const [name, what] of [
      ["scales", given.scales],
      ["options", given.options],
    ] as const) {
      const stranger = Object.keys(what).find((method) => !given.methods.includes(method));
      if (stranger !== undefined) {
        throw new RangeError(
          `Cannot run cell "sweepAlpha" with parameter "${name}": expected methods of ${given.methods.join(", ")}, got "${stranger}"`,
        );
      }
    }
    for (const method of given.methods) {
      parseOptions(findMethod(method, allMethods), given.options[method] ?? {}, `Cannot run cell "sweepAlpha" with method "${method}"`);
    }
    return given;
  },
  async run([vectors, suite], given, context) {
    planTriggers(
      suite.tasks.map(({ id }) => id),
      suite.triggers.map(({ name }) => name),
      vectors,
    );
    const { settings, progress, signal } = context;
    const runs = listRuns(given);
    const wantsFloor = runs.some((run) => run.points.some(({ floor }) => floor));
    const clean = wantsFloor ? await loadTaskVectors.with(settings)(suite, { tasks: vectors.models.map(({ task }) => task) }) : null;
    const task = progress.start("Sweep", { total: countPieces(runs, vectors, given.viewImages), unit: "pieces" });
    let done = 0;
    // Every piece listens to the one signal.
    setMaxListeners(0, signal);
    const lab = await openSweepLab();
    try {
      const bench = new SweepBench({ vectors, suite, clean, lab }, given, settings, () => task.update({ step: ++done }));
      const [points, individual, pretrained] = await Promise.all([bench.judgeRuns(runs), bench.judgeIndividual(), bench.judgePretrained()]);
      const rank = ({ method }: SweepPoint): number => given.methods.indexOf(method);
      return { points: points.sort((a, b) => rank(a) - rank(b)), individual, pretrained, attacked: vectors.attacked };
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      await lab.close();
    }
  },
  text: (sweep) => tableToText(sweepTable(sweep.points)),
  display: (sweep) => ({ "text/html": tableToHtml(sweepTable(sweep.points)) }),
});
