import { setMaxListeners } from "node:events";
import { z } from "zod";
import { tableToHtml, tableToText } from "../figures";
import { allMethods } from "../dam";
import { planTriggers } from "../evaluation";
import { findMethod, parseOptions } from "../merging";
import { defineCell, type Cell, type Result } from "./cell";
import { listRuns, type SweepRun } from "./sweepRuns";
import { openSweepLab } from "./sweepLab";
import { packMerged, type Judgement, type View } from "./sweepJobs";
import { mergeSource, sweepPoint, sweepView, type MergeSource, type PointParameters } from "./sweepPieces";
import { sweepTable } from "./sweepTable";
import type { Suite } from "./suite";
import { loadTaskVectors, type LoadedTaskVectors, type TaskVectors } from "./taskVectors";

/** One model of a sweep. */
export interface SweepPoint {
  /** Name in the table of methods. */
  readonly method: string;
  /** The method's name in tables. */
  readonly title: string;
  /** DAM's α; null for other methods. */
  readonly alpha: number | null;
  /** λ of methods that have one for everything; else the factor of the final coefficients. */
  readonly scale: number;
  /** Null for methods that draw no random numbers. */
  readonly seed: number | null;
  /** `masks`: DAM before its final stage. */
  readonly stage: "masks" | "final";
  /** Plain mean over the tasks; this and all rates are fractions in [0, 1]. */
  readonly acc: number;
  /** Mean over the attacked tasks, each under its own trigger; null where none is attacked. */
  readonly asrAttacked: number | null;
  /** Mean over the other tasks under their latent triggers; null unless `triggers` is `own`. */
  readonly asrClean: number | null;
  readonly asrAll: number | null;
  /** ACC and ASR of the same method, setting, scale and seed on the all-clean merge, under the same triggers; null where not asked for. */
  readonly floor: { readonly acc: number; readonly asrAttacked: number | null } | null;
  readonly tasks: Judgement["tasks"];
  /** What the merge's user can measure; null where not asked for. */
  readonly view: View | null;
}

/** A sweep over α, methods, scales and seeds. */
export interface Sweep {
  readonly points: readonly SweepPoint[];
  /** The fine-tuned models, each on its own task under its own trigger. */
  readonly individual: Pick<Judgement, "acc" | "asrAttacked">;
  /** The pretrained model. */
  readonly pretrained: Pick<Judgement, "acc" | "asrAttacked">;
  readonly attacked: Readonly<Record<string, string>>;
}

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
  scales?: Record<string, number[]> | undefined;
  /** Options by method. */
  options?: Record<string, Record<string, unknown>> | undefined;
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
  alphas: z.array(z.number().min(0)).default([0, 0.01, 0.1, 1, 10]).describe("weights of DAM's safety loss"),
  seeds: z.array(z.number().int()).min(1).default([0]).describe("seeds of the methods that draw random numbers"),
  methods: z
    .array(z.string())
    .default(["average", "task_arithmetic", "ties", "adamerging", "concrete_adamerging", "dam"])
    .describe("names in the table of methods"),
  scales: z
    .record(z.string(), z.array(z.number()).min(1))
    .default({})
    .describe("by method: its λ, or factors of its final coefficients; default: the baselines' fronts, 1 for DAM"),
  options: z.record(z.string(), z.record(z.string(), z.unknown())).default({}).describe("by method: its options"),
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
  async run([vectors, suite], given, { settings, progress, signal }) {
    const { attacked } = vectors;
    const tasks = vectors.models.map(({ task }) => task);
    const ids = suite.tasks.map(({ id }) => id);
    planTriggers(
      ids,
      suite.triggers.map(({ name }) => name),
      { attacked },
    );
    const runs = listRuns(given);
    const wantsFloor = runs.some((run) => run.points.some(({ floor }) => floor));
    const clean = wantsFloor ? await loadTaskVectors.with(settings)(suite, { tasks }) : null;
    const viewed = runs.filter(({ method }) => method === "dam" && given.viewImages > 0);
    const points = runs.flatMap((run) => run.points.map((point) => ({ run, point })));
    const total = points.length + points.filter(({ point }) => point.floor).length + viewed.length + tasks.length + 1;
    const task = progress.start("Sweep", { total, unit: "pieces" });
    let done = 0;
    const counted = async <T>(promise: Promise<T>): Promise<T> => {
      const found = await promise;
      task.update({ step: ++done });
      return found;
    };
    // Every piece listens to the one signal.
    setMaxListeners(0, signal);
    const lab = await openSweepLab();
    try {
      const sources = new Map<string, Promise<MergeSource>>();
      const sourceOf = (
        from: LoadedTaskVectors | TaskVectors,
        { method, options, seed }: Pick<SweepRun, "method" | "options" | "seed">,
      ) => {
        const key = JSON.stringify([from === clean, method, options, seed]);
        const made =
          sources.get(key) ??
          mergeSource({ suite, vectors: from, lab }, { method, options, seed: seed ?? 0, adaptOn: given.adaptOn }, settings);
        sources.set(key, made);
        return made;
      };
      const judge = async (from: TaskVectors, source: MergeSource, parameters: Partial<PointParameters>): Promise<Judgement> => {
        const { triggers, split, limit } = given;
        return counted(
          sweepPoint.with(settings)({ suite, vectors: from, lab, source }, { tasks, attacked, triggers, split, limit, ...parameters }),
        );
      };
      const look = async (run: SweepRun): Promise<View> => {
        const adamerging = { method: "adamerging", options: given.options["adamerging"] ?? {}, seed: run.seed };
        const [source, unmasked] = await Promise.all([sourceOf(vectors, run), sourceOf(vectors, adamerging)]);
        const { viewImages: images, adaptOn } = given;
        return counted(sweepView.with(settings)({ suite, vectors, lab, source, unmasked }, { images, adaptOn, seed: run.seed ?? 0 }));
      };
      const views = new Map(viewed.map((run) => [run, look(run)]));
      const judged = points.map(async ({ run, point: { stage, scale, floor } }): Promise<SweepPoint> => {
        const { method, title, alpha, seed } = run;
        // All waited for at once: after an interrupt none may be left that nobody listens to.
        const [rates, floorRates, view] = await Promise.all([
          sourceOf(vectors, run).then((source) => judge(vectors, source, { stage, scale })),
          // Latent triggers say nothing about a floor.
          floor ? sourceOf(clean!, run).then((source) => judge(clean!, source, { stage, scale, triggers: "attacked" })) : null,
          stage === "final" ? (views.get(run) ?? null) : null,
        ]);
        const { acc, asrAttacked, asrClean, asrAll, tasks: byTask } = rates;
        return {
          ...{ method, title, alpha, scale, seed, stage, acc, asrAttacked, asrClean, asrAll },
          floor: floorRates === null ? null : { acc: floorRates.acc, asrAttacked: floorRates.asrAttacked },
          tasks: byTask,
          view,
        };
      });
      const alone = vectors.models.map(({ task, parameters }) => {
        const source = {
          key: `individual ${task}`,
          load: () => Promise.resolve({ stages: { final: packMerged(vectors.pretrained, parameters) } }),
        };
        return judge(vectors, source, { tasks: [task], triggers: "attacked" });
      });
      const base = {
        key: "pretrained",
        load: () => Promise.resolve({ stages: { final: packMerged(vectors.pretrained, vectors.pretrained) } }),
      };
      const [all, own, pretrained] = await Promise.all([
        Promise.all(judged),
        Promise.all(alone),
        judge(vectors, base, { triggers: "attacked" }),
      ]);
      const rank = ({ method }: SweepPoint): number => given.methods.indexOf(method);
      return {
        points: all.sort((a, b) => rank(a) - rank(b)),
        individual: { acc: meanOf(own.map(({ acc }) => acc))!, asrAttacked: meanOf(own.flatMap(({ asrAttacked }) => asrAttacked ?? [])) },
        pretrained: { acc: pretrained.acc, asrAttacked: pretrained.asrAttacked },
        attacked,
      };
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

function meanOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
