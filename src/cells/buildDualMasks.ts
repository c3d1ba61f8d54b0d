import { z } from "zod";
import { DAM_OPTION_TEXTS, damOptionsShape, type DamOptions, type MaskName } from "../dam";
import { createMergeSpace, layoutMask, maskDensity, type MaskLayout } from "../merging/adaptive";
import type { ParameterLayout } from "../training";
import { defineCell, type Cell, type Result } from "./cell";
import type { TaskVectors } from "./taskVectors";

/** Settings of DAM that say what masks there are and how they are drawn. */
export const MASK_OPTIONS = ["masks", "granularity", "initialLogit", "temperature", "trainingMask", "evaluationMask"] as const;

/** Values of `MASK_OPTIONS`. */
export type MaskOptions = Pick<DamOptions, (typeof MASK_OPTIONS)[number]>;

/** M1, the task-shared mask, and M2, the backdoor-detection mask, over the task vectors. */
export interface DualMasks {
  /** Of all random numbers of a run on these masks. */
  readonly seed: number;
  readonly options: MaskOptions;
  /** Z1 and Z2: `shared` and `backdoor`. */
  readonly logits: ReadonlyMap<MaskName, Float32Array>;
  /** Which logit governs which element. */
  readonly layout: MaskLayout;
  /** The merged parameters, whose elements the masks cover. */
  readonly parameters: ParameterLayout;
}

/** Masks as `buildDualMasks` gives them. */
export type BuiltDualMasks = Result<DualMasks>;

/** Parameters of `buildDualMasks`. */
export type BuildDualMasksParameters = {
  /** Of all random numbers of a run on these masks; default 0. */
  seed?: number | undefined;
} & { [option in keyof MaskOptions]?: MaskOptions[option] | undefined };

const { masks, granularity, initialLogit, temperature, trainingMask, evaluationMask } = damOptionsShape;

/** Lays both masks over task vectors, untrained; `metaOptimize` trains them. */
export const buildDualMasks: Cell<[vectors: TaskVectors], BuildDualMasksParameters, DualMasks> = defineCell({
  name: "buildDualMasks",
  version: 1,
  summary: "The task-shared mask M1 and the backdoor-detection mask M2 over task vectors, untrained",
  inputs: ["vectors"],
  cache: false,
  engine: false,
  parameters: z.object({
    seed: z.number().int().default(0).describe("of all random numbers of a run on these masks"),
    masks: masks.describe(DAM_OPTION_TEXTS.masks),
    granularity: granularity.describe(DAM_OPTION_TEXTS.granularity),
    initialLogit: initialLogit.describe(DAM_OPTION_TEXTS.initialLogit),
    temperature: temperature.describe(DAM_OPTION_TEXTS.temperature),
    trainingMask: trainingMask.describe(DAM_OPTION_TEXTS.trainingMask),
    evaluationMask: evaluationMask.describe(DAM_OPTION_TEXTS.evaluationMask),
  }),
  run([{ config, pretrained, models }]: [vectors: TaskVectors], { seed, ...options }) {
    // The models' own parameters have the shapes of their task vectors.
    const space = createMergeSpace(
      pretrained,
      models.map((model) => model.parameters),
    );
    const layout = layoutMask(space.layout, options.granularity, config);
    const names = (["shared", "backdoor"] as const).filter((name) => options.masks === "both" || options.masks === name);
    const logits = new Map(names.map((name) => [name, new Float32Array(layout.logits).fill(options.initialLogit)]));
    return { seed, options, logits, layout, parameters: space.layout };
  },
  text: describeDualMasks,
});

/** One line a mask. */
export function describeDualMasks({ logits, layout, options, seed }: DualMasks): string {
  const symbol = { shared: "M1, shared over the tasks", backdoor: "M2, backdoor detection" };
  return [
    `Masks over ${layout.elements} parameters, one logit a ${options.granularity}, seed ${seed}`,
    ...[...logits].map(([name, values]) => `  ${symbol[name]}: density ${(100 * maskDensity(layout, values)).toFixed(1)} %`),
  ].join("\n");
}
