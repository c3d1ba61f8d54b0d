/** @file The pieces of a sweep as cells: each kept on disk by its own key, so that a killed sweep goes on and a longer one only adds. */
import { z } from "zod";
import { labelOptionsOf, type DamOptions, type LabelOptions } from "../dam";
import { allMethods } from "../defenses";
import { latentTrigger } from "../evaluation";
import { findMethod, parseOptions } from "../merging";
import { defineCell, type Cell } from "./cell";
import type { CellSettings } from "./settings";
import { identifyInput } from "./provenance";
import type { Judgement, SweepMerge, View } from "./sweepJobs";
import type { SweepLab } from "./sweepLab";
import type { Suite } from "./suite";
import type { TaskVectors } from "./taskVectors";

/** Where a piece is computed, beside what it is computed from. */
interface Place {
  readonly suite: Suite;
  readonly vectors: TaskVectors;
  readonly lab: SweepLab;
}

/** Merged parameters that are computed when they are needed; the key says which they are. */
export interface MergeSource {
  readonly key: string;
  load(): Promise<SweepMerge>;
}

const identifyPlace = ({ suite, vectors }: Place): Record<string, unknown> => ({
  suite: identifyInput(suite),
  vectors: identifyInput(vectors),
});

/** Parameters of `sweepLabels`. */
interface LabelParameters {
  options: LabelOptions;
  seed: number;
  adaptOn: "adapt" | "test";
}

/** λ of one f_0 of DAM. */
const sweepLabels: Cell<[place: Place], LabelParameters, { readonly coefficients: Float32Array }> = defineCell({
  name: "sweepLabels",
  version: 1,
  summary: "The unmasked merge whose classes DAM's runs keep to",
  inputs: ["place"],
  parameters: z.object({
    options: z.custom<LabelOptions>().describe("DAM's settings that it depends on"),
    seed: z.number().int().describe("of batches"),
    adaptOn: z.enum(["adapt", "test"]).describe("whose unlabelled images are adapted on"),
  }),
  identify: ([place]: [place: Place]) => identifyPlace(place),
  run: async ([{ suite, vectors, lab }], parameters, { signal }) => ({
    coefficients: await lab.labels({ vectors: plainVectors(vectors), heads: headsOf(suite), ...parameters }, signal),
  }),
});

/** Gives λ of an f_0. */
export type SharedLabels = (place: Place, parameters: LabelParameters) => Promise<Float32Array>;

/** Makes each f_0 once, when it is first asked for: DAM's runs over α share one a seed. */
export function shareLabels(settings: Partial<CellSettings>): SharedLabels {
  const made = new Map<string, ReturnType<typeof sweepLabels>>();
  return async (place, parameters) => {
    const { key } = await sweepLabels.trace(place, parameters);
    const found = made.get(key) ?? sweepLabels.with(settings)(place, parameters);
    made.set(key, found);
    return (await found).coefficients;
  };
}

/** Where a merge is computed. */
interface MergePlace extends Place {
  readonly labels: SharedLabels;
}

/** Parameters of `sweepMerge`. */
interface MergeParameters {
  method: string;
  options?: Record<string, unknown> | undefined;
  seed?: number | undefined;
  adaptOn?: "adapt" | "test" | undefined;
}

/** One merge, unscaled: methods with a factor λ for everything are merged at λ = 1, others as they are. */
const sweepMerge: Cell<[place: MergePlace], MergeParameters, SweepMerge> = defineCell({
  name: "sweepMerge",
  version: 1,
  summary: "One merge of a sweep, before it is scaled",
  inputs: ["place"],
  parameters: z.object({
    method: z.string().describe("name in the table of methods"),
    options: z.record(z.string(), z.unknown()).default({}).describe("the method's options"),
    seed: z.number().int().default(0).describe("of batches, masks and perturbations"),
    adaptOn: z.enum(["adapt", "test"]).default("adapt").describe("whose unlabelled images are adapted on"),
  }),
  identify: ([place]: [place: MergePlace]) => identifyPlace(place),
  resolve(_, { method, options, seed, adaptOn }) {
    const row = findMethod(method, allMethods);
    const scaling = "scaling" in row.defaults ? { scaling: 1 } : {};
    const parsed = parseOptions(row, { ...options, ...scaling }, `Cannot sweep method "${method}"`) as Record<string, unknown>;
    // What draws no random numbers is the same for all seeds.
    return { method, options: parsed, seed: row.kind === "data-free" ? 0 : seed, adaptOn };
  },
  async run([place], parameters, { signal }) {
    const { suite, vectors, lab, labels } = place;
    const { method, options, seed, adaptOn } = parameters;
    const shared = method === "dam" ? labelOptionsOf(options as unknown as DamOptions) : null;
    const request = { vectors: plainVectors(vectors), heads: headsOf(suite), method, options, seed, adaptOn };
    return lab.merge({ ...request, ...(shared && { labelCoefficients: await labels(place, { options: shared, seed, adaptOn }) }) }, signal);
  },
});

/** A merge as a source: loaded or computed once, when it is asked for. */
export async function mergeSource(place: MergePlace, parameters: MergeParameters, settings: Partial<CellSettings>): Promise<MergeSource> {
  const { key } = await sweepMerge.trace(place, parameters);
  let loaded: Promise<SweepMerge> | undefined;
  return { key, load: () => (loaded ??= sweepMerge.with(settings)(place, parameters)) };
}

/** Where a point is judged: `vectors` give the pretrained model that the merge belongs to. */
export interface JudgedPlace extends Place {
  readonly source: MergeSource;
}

const splitSchema = z
  .enum(["train", "validation", "test"])
  .default("test")
  .describe("test for what is reported, validation for every choice");

/** Parameters of `sweepPoint`. */
export interface PointParameters {
  stage?: string | undefined;
  scale?: number | undefined;
  tasks: string[];
  attacked: Record<string, string>;
  triggers?: "own" | "attacked" | undefined;
  split?: "train" | "validation" | "test" | undefined;
  limit?: number | undefined;
}

/** ACC and ASR of one merge at one scale. */
export const sweepPoint: Cell<[place: JudgedPlace], PointParameters, Judgement> = defineCell({
  name: "sweepPoint",
  version: 1,
  summary: "ACC and ASR of one merge at one scale",
  inputs: ["place"],
  parameters: z.object({
    stage: z.string().default("final").describe("which stage of the merge"),
    scale: z.number().default(1).describe("factor of everything that the merge adds to the pretrained model"),
    tasks: z.array(z.string()).describe("tasks to judge"),
    attacked: z.record(z.string(), z.string()).describe("trigger of each attacked task"),
    triggers: z.enum(["own", "attacked"]).default("attacked").describe("own: latent triggers of clean tasks too"),
    split: splitSchema,
    limit: z.number().int().min(1).optional().describe("at most so many images a task; default: all"),
  }),
  identify: ([place]: [place: JudgedPlace]) => ({ ...identifyPlace(place), merge: place.source.key }),
  async run([{ suite, vectors, lab, source }], { stage, scale, tasks, attacked, triggers, split, limit }, { signal }) {
    const { stages } = await source.load();
    const wanted = (id: string): string[] => (triggers === "own" ? [attacked[id] ?? latentTrigger(id)] : [attacked[id] ?? []].flat());
    const find = (name: string) => suite.triggers.find((trigger) => trigger.name === name)!;
    const request = {
      config: vectors.config,
      pretrained: vectors.pretrained,
      merged: stages[stage]!,
      scale,
      tasks: suite.tasks.filter(({ id }) => tasks.includes(id)).map(({ id, head }) => ({ id, head, triggers: wanted(id).map(find) })),
      attacked,
      split,
      limit: limit ?? null,
    };
    return lab.judge(request, signal);
  },
});

/** Where a merge is looked at as its user can. */
export interface ViewedPlace extends JudgedPlace {
  /** The merge without masks whose classes the candidate should keep. */
  readonly unmasked: MergeSource;
}

/** Parameters of `sweepView`. */
interface ViewParameters {
  images?: number | undefined;
  steps?: number | undefined;
  seed?: number | undefined;
  adaptOn?: "adapt" | "test" | undefined;
}

/** What the user of a merge can measure without labels or triggers. */
export const sweepView: Cell<[place: ViewedPlace], ViewParameters, View> = defineCell({
  name: "sweepView",
  version: 2,
  summary: "What the user of a merge can measure without labels or triggers",
  inputs: ["place"],
  parameters: z.object({
    images: z.number().int().min(1).default(160).describe("unlabelled images a task"),
    steps: z.number().int().min(0).default(60).describe("ascent steps on the synthesised stickers"),
    seed: z.number().int().default(0).describe("of batches and stickers"),
    adaptOn: z.enum(["adapt", "test"]).default("adapt").describe("whose unlabelled images"),
  }),
  identify: ([place]: [place: ViewedPlace]) => ({ ...identifyPlace(place), merge: place.source.key, unmasked: place.unmasked.key }),
  async run([{ suite, vectors, lab, source, unmasked }], { images, steps, seed, adaptOn }, { signal }) {
    const [candidate, reference] = await Promise.all([source.load(), unmasked.load()]);
    const request = {
      config: vectors.config,
      pretrained: vectors.pretrained,
      heads: headsOf(suite),
      tasks: vectors.models.map(({ task }) => task),
      candidate: candidate.stages["final"]!,
      unmasked: reference.stages["final"]!,
      options: { images, steps },
      seed,
      adaptOn,
    };
    return lab.view(request, signal);
  },
});

function headsOf({ tasks }: Suite): Record<string, Suite["tasks"][number]["head"]> {
  return Object.fromEntries(tasks.map(({ id, head }) => [id, head]));
}

/** Without what shows a result, which can't be handed to a thread. */
function plainVectors({ config, pretrained, models }: TaskVectors): Pick<TaskVectors, "config" | "pretrained" | "models"> {
  return { config, pretrained, models };
}
