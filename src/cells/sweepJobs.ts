/** @file The slow pieces of a sweep, as plain data in and out: one merge, the judgement of one model. Each runs whole, here or on a thread. */
import type { Trigger } from "../attacks";
import type { HostTensor, NamedTensors } from "../checkpoints";
import { makeLabelModel, type DamResult, type LabelOptions } from "../dam";
import { allMethods } from "../defenses";
import { accuracy, attackSuccessRate, deskImages, latentTrigger, predictModel, type EvaluationTask } from "../evaluation";
import { findMethod, mergeParameters } from "../merging";
import {
  adaptationTasks,
  scaledMerge,
  vectorDtypeOf,
  type AdaptationContext,
  type AdaptedMerge,
  type AdaptOn,
  type VectorDtype,
} from "../merging/adaptive";
import type { VisionConfig, ZeroShotHead } from "../models";
import { measureDefenderView, type DefenderView, type ViewOptions } from "../selection";
import { storeTaskVectors, type TaskVectors } from "./taskVectors";

/** A merge as a sweep keeps it: the merged parameters of each stage, one after another in the pretrained model's order. */
export interface SweepMerge {
  /** `final`, and of DAM also `masks`: when the masks were finished, before the final stage on λ. */
  readonly stages: Readonly<Record<string, Float32Array>>;
}

/** What is merged, and on what test-time methods adapt. */
interface MergeGround {
  readonly vectors: Pick<TaskVectors, "config" | "pretrained" | "models">;
  /** By task. */
  readonly heads: Readonly<Record<string, ZeroShotHead>>;
  readonly seed: number;
  readonly adaptOn: AdaptOn;
}

/** A merge to compute. */
export interface MergeRequest extends MergeGround {
  /** Name in the table of methods. */
  readonly method: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** λ of DAM's f_0, where it is at hand. */
  readonly labelCoefficients?: Float32Array;
}

/** An f_0 to make, for the runs of DAM that share it. */
export interface LabelRequest extends MergeGround {
  readonly options: LabelOptions;
}

/** Runs one merging method. A signal is for those who can't end the thread that it runs on. */
export async function runMerge(request: MergeRequest, signal?: AbortSignal): Promise<SweepMerge> {
  const { vectors, method, options, labelCoefficients } = request;
  const row = findMethod(method, allMethods);
  const { pretrained, models } = vectors;
  if (row.kind === "data-free") {
    const finetuned = models.map(({ parameters }) => parameters);
    return { stages: { final: packMerged(pretrained, mergeParameters(row, pretrained, { finetuned }, options)) } };
  }
  const context = { ...adaptationContext(request, vectorDtypeOf(options), signal), ...(labelCoefficients && { labelCoefficients }) };
  const result = (await row.merge(context as never, options)) as AdaptedMerge & Partial<Pick<DamResult, "beforeFinal">>;
  return {
    stages: {
      ...(result.beforeFinal && { masks: packMerged(pretrained, result.beforeFinal.parameters) }),
      final: packMerged(pretrained, result.parameters),
    },
  };
}

/** Makes λ of f_0. */
export function runLabels(request: LabelRequest, signal?: AbortSignal): Promise<Float32Array> {
  return makeLabelModel(adaptationContext(request, request.options.vectorDtype, signal), request.options);
}

function adaptationContext({ vectors, heads, seed, adaptOn }: MergeGround, dtype: VectorDtype, signal?: AbortSignal): AdaptationContext {
  const { config, pretrained, models } = vectors;
  const ids = models.map(({ task }) => task);
  const tasks = adaptationTasks(ids, heads, adaptOn);
  return { config, pretrained, taskVectors: storeTaskVectors(vectors, dtype), tasks, seed, ...(signal && { signal }) };
}

/** A model to judge. */
export interface JudgeRequest {
  readonly config: VisionConfig;
  readonly pretrained: NamedTensors;
  /** Merged parameters, as in `SweepMerge`; null for the pretrained model itself. */
  readonly merged: Float32Array | null;
  /** Factor of everything that the merge adds to the pretrained model. */
  readonly scale: number;
  readonly tasks: readonly { readonly id: string; readonly head: ZeroShotHead; readonly triggers: readonly Trigger[] }[];
  readonly attacked: Readonly<Record<string, string>>;
  readonly split: "train" | "validation" | "test";
  /** At most so many images a task; null for all. */
  readonly limit: number | null;
}

/** What a sweep asks of a model; fractions in [0, 1], null where no trigger was tried. */
export interface Judgement {
  readonly acc: number;
  readonly asrAttacked: number | null;
  readonly asrClean: number | null;
  readonly asrAll: number | null;
  /** By task; `asr` under the task's own trigger. */
  readonly tasks: Readonly<Record<string, { readonly acc: number; readonly asr: number | null }>>;
}

/** Judges one model on the tasks, each under its own trigger: the attacker's where it is attacked, else its latent one. */
export async function runJudge(request: JudgeRequest, signal?: AbortSignal): Promise<Judgement> {
  const { config, pretrained, merged, scale, attacked, split, limit } = request;
  const parameters = merged === null ? pretrained : scaledMerge({ pretrained }, { parameters: unpackMerged(pretrained, merged) }, scale);
  const tasks = request.tasks.map((task): EvaluationTask => ({ ...task, images: deskImages(task.id, split, limit ?? Infinity) }));
  const predictions = await predictModel({ config, parameters }, tasks, { ...(signal && { signal }) });
  const rates = new Map<string, { acc: number; asr: number | null }>();
  for (const [task, { labels, clean, triggered }] of predictions) {
    const own = triggered[attacked[task] ?? latentTrigger(task)];
    const asr = own === undefined ? null : attackSuccessRate(own.predicted, labels, { target: own.target }).value;
    rates.set(task, { acc: accuracy(clean, labels).value!, asr });
  }
  const asrOf = (chosen: (task: string) => boolean): number | null =>
    average([...rates].filter(([task]) => chosen(task)).map(([, { asr }]) => asr));
  return {
    acc: average([...rates.values()].map(({ acc }) => acc))!,
    asrAttacked: asrOf((task) => task in attacked),
    asrClean: asrOf((task) => !(task in attacked)),
    asrAll: asrOf(() => true),
    tasks: Object.fromEntries(rates),
  };
}

/** A merge for its user to look at. */
export interface ViewRequest extends Pick<MergeRequest, "heads" | "seed" | "adaptOn"> {
  readonly config: VisionConfig;
  readonly pretrained: NamedTensors;
  /** Tasks of the merge. */
  readonly tasks: readonly string[];
  readonly candidate: Float32Array;
  readonly unmasked: Float32Array;
  readonly options: Pick<ViewOptions, "images" | "steps">;
}

/** What a merge's user sees of it. */
export type View = DefenderView & { readonly images: number };

/** Looks at a merge as its user can, without labels or triggers. */
export function runView(request: ViewRequest, signal?: AbortSignal): Promise<View> {
  const { config, pretrained, heads, seed, adaptOn, options } = request;
  const tasks = adaptationTasks(request.tasks, heads, adaptOn);
  const [candidate, unmasked] = [unpackMerged(pretrained, request.candidate), unpackMerged(pretrained, request.unmasked)];
  return measureDefenderView({ config, pretrained, candidate, unmasked, tasks }, { ...options, seed, ...(signal && { signal }) });
}

/** Merged parameters of a whole model in one vector. */
export function packMerged(pretrained: NamedTensors, parameters: NamedTensors): Float32Array {
  const names = mergedNames(pretrained);
  const packed = new Float32Array(names.reduce((sum, name) => sum + pretrained.get(name)!.values.length, 0));
  let start = 0;
  for (const name of names) {
    const { values } = parameters.get(name)!;
    packed.set(values, start);
    start += values.length;
  }
  return packed;
}

/** The whole model of a packed vector; parameters that are not merged are the pretrained model's own objects. */
export function unpackMerged(pretrained: NamedTensors, packed: Float32Array): Map<string, HostTensor> {
  const result = new Map(pretrained);
  let start = 0;
  for (const name of mergedNames(pretrained)) {
    const { shape, values } = pretrained.get(name)!;
    result.set(name, { shape, values: packed.subarray(start, (start += values.length)) });
  }
  return result;
}

function mergedNames(pretrained: NamedTensors): string[] {
  return [...pretrained.keys()].filter((name) => name.startsWith("vision_model."));
}

/** Plain mean; null where there is nothing, or something is missing. */
function average(values: readonly (number | null)[]): number | null {
  if (values.length === 0 || values.includes(null)) return null;
  return values.reduce<number>((sum, value) => sum + value!, 0) / values.length;
}
