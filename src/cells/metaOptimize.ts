import { z } from "zod";
import { DAM_OPTION_TEXTS, dam, damOptionsShape, describeMasks, runDam, type DamOptions, type DamResult, type LayerMasks } from "../dam";
import { parseOptions } from "../merging";
import { STOP_DEFAULTS, stopWatch } from "../selection";
import {
  adaptationShape,
  adaptedModel,
  describeAdapted,
  judgedModel,
  runAdapted,
  unfinishedSteps,
  type AdaptationParameters,
  type AdaptedModel,
} from "./adaptation";
import { MASK_OPTIONS, type DualMasks, type MaskOptions } from "./buildDualMasks";
import { defineCell, type Cell, type Result } from "./cell";
import type { MergedModel } from "./mergeModels";
import { subtractPretrained, type TaskVectors } from "./taskVectors";

/** A merge by DAM: the model after the final stage, the one before it, and the trained masks. */
export interface DefendedModel extends AdaptedModel {
  /** The merge when the masks were finished, before the final stage on λ: a model to evaluate, too. */
  readonly beforeFinal: MergedModel & Pick<AdaptedModel, "coefficients">;
  /** The masks as they are now; they can be trained further. */
  readonly masks: DualMasks;
  /** What the masks keep and prune, by merged parameter tensor. */
  readonly layers: readonly LayerMasks[];
  /** The synthesised perturbations of the last step. */
  readonly perturbations: Float32Array;
  /** After how many iterations the masks were taken, where `stop` has chosen; else null. */
  readonly stoppedAt: number | null;
}

/** A merge as `metaOptimize` gives it. */
export type Defended = Result<DefendedModel>;

type OwnOptions = Omit<DamOptions, keyof MaskOptions>;

/** Parameters of `metaOptimize`: all settings of DAM but those of the masks, which `buildDualMasks` has. */
export type MetaOptimizeParameters = AdaptationParameters & { [option in keyof OwnOptions]?: OwnOptions[option] | undefined } & {
  /** Ends the masks' training before all `steps` are done, where its user would, without labels or triggers; see `stopWatch`. */
  stop?: { every?: number | undefined; patience?: number | undefined } | undefined;
};

const stopShape = {
  stop: z
    .object({
      every: z.number().int().min(1).default(STOP_DEFAULTS.every).describe("iterations between two looks"),
      patience: z.number().int().min(1).default(STOP_DEFAULTS.patience).describe("looks in a row that may be worse"),
    })
    .optional()
    .describe("ends the masks' training where looks at the merge, without labels, get worse; default: after all steps"),
};

/** The settings' schemas with their texts, without those of the masks. */
const ownShape = Object.fromEntries(
  Object.entries(damOptionsShape)
    .filter(([name]) => !(MASK_OPTIONS as readonly string[]).includes(name))
    .map(([name, schema]) => [name, schema.describe(DAM_OPTION_TEXTS[name as keyof DamOptions])]),
) as Omit<typeof damOptionsShape, keyof MaskOptions>;

/** Trains masks and coefficients in turn under L_perf + α L_safe, then the coefficients alone: the meta-optimiser of DAM. */
export const metaOptimize: Cell<[vectors: TaskVectors, masks: DualMasks], MetaOptimizeParameters, DefendedModel> = defineCell({
  name: "metaOptimize",
  version: 1,
  summary: "Merges by DAM: trains masks and coefficients in turn, then the coefficients alone",
  inputs: ["vectors", "masks"],
  parameters: z.object({ ...ownShape, ...adaptationShape, ...stopShape }),
  resolve([, { options }]: [vectors: TaskVectors, masks: DualMasks], parameters) {
    const { adaptOn: _on, whenInterrupted: _when, stop: _stop, ...own } = parameters;
    parseOptions(dam, { ...options, ...own }, 'Cannot run cell "metaOptimize"');
    return parameters;
  },
  async run([vectors, masks], { adaptOn, whenInterrupted, stop, ...own }, context) {
    const options: DamOptions = { ...masks.options, ...own };
    const setting = { seed: masks.seed, adaptOn, whenInterrupted, vectorDtype: options.vectorDtype };
    const found = await runAdapted(vectors, setting, context, (adaptation) => {
      const watch = stop && { watch: stopWatch(adaptation, stop) };
      // The released algorithm starts its mask by itself.
      const start = options.referenceCompat ? {} : { startLogits: masks.logits };
      return runDam({ ...adaptation, ...start, ...watch }, options);
    });
    return defendedModel(vectors, masks, found, stop ? found.iterations : null);
  },
  unfinished: (output: DefendedModel) => unfinishedSteps(output),
  text: (result) =>
    [...describeAdapted(result), ...(result.stoppedAt === null ? [] : [`  masks as they were after ${result.stoppedAt} iterations`])].join(
      "\n",
    ),
});

function defendedModel(vectors: TaskVectors, start: DualMasks, found: DamResult, stoppedAt: number | null): DefendedModel {
  const { beforeFinal, maskLogits, maskLayout, perturbations, options } = found;
  const { masks, granularity, initialLogit, temperature, trainingMask, evaluationMask } = options;
  const trained: DualMasks = {
    ...start,
    options: { masks, granularity, initialLogit, temperature, trainingMask, evaluationMask },
    logits: maskLogits,
    layout: maskLayout,
  };
  const taskVectors = subtractPretrained(vectors);
  return {
    ...adaptedModel(vectors, found, dam.title),
    beforeFinal: {
      ...judgedModel(vectors, beforeFinal.parameters, `${dam.title}, before the final stage`),
      coefficients: beforeFinal.coefficients,
    },
    masks: trained,
    layers: describeMasks(trained, new Map(vectors.models.map(({ task }, index) => [task, taskVectors[index]!]))),
    perturbations,
    stoppedAt,
  };
}
