import { z } from "zod";
import { DAM_OPTION_TEXTS, dam, damOptionsShape, describeMasks, runDam, type DamOptions, type DamResult, type LayerMasks } from "../dam";
import { parseOptions } from "../merging";
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
}

/** A merge as `metaOptimize` gives it. */
export type Defended = Result<DefendedModel>;

type OwnOptions = Omit<DamOptions, keyof MaskOptions>;

/** Parameters of `metaOptimize`: all settings of DAM but those of the masks, which `buildDualMasks` has. */
export type MetaOptimizeParameters = AdaptationParameters & { [option in keyof OwnOptions]?: OwnOptions[option] | undefined };

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
  parameters: z.object({ ...ownShape, ...adaptationShape }),
  resolve([, { options }]: [vectors: TaskVectors, masks: DualMasks], parameters) {
    const { adaptOn: _on, whenInterrupted: _when, ...own } = parameters;
    parseOptions(dam, { ...options, ...own }, 'Cannot run cell "metaOptimize"');
    return parameters;
  },
  async run([vectors, masks], { adaptOn, whenInterrupted, ...own }, context) {
    const options: DamOptions = { ...masks.options, ...own };
    const setting = { seed: masks.seed, adaptOn, whenInterrupted, vectorDtype: options.vectorDtype };
    const found = await runAdapted(vectors, setting, context, (adaptation) =>
      // The released algorithm starts its mask by itself.
      runDam(options.referenceCompat ? adaptation : { ...adaptation, startLogits: masks.logits }, options),
    );
    return defendedModel(vectors, masks, found);
  },
  unfinished: (output: DefendedModel) => unfinishedSteps(output),
  text: (result) => describeAdapted(result).join("\n"),
});

function defendedModel(vectors: TaskVectors, start: DualMasks, found: DamResult): DefendedModel {
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
  };
}
