/** Defense-Aware Merging: dual masks, synthesised perturbations, the alternating meta-optimiser. */
export { dam, labelOptionsOf, makeLabelModel, runDam, type DamResult, type LabelOptions } from "./dam";
export { noisePerturbations, projectNoise } from "./noise";
export { DAM_DEFAULTS, DAM_OPTION_TEXTS, damOptionsSchema, damOptionsShape, type DamOptions } from "./options";
export { describeMasks, type LayerMasks, type MaskDescription, type MaskShares } from "./describeMasks";
export { createPerturbations, type PerturbedPass, type Perturbations, type PerturbationSetting } from "./perturbations";
export {
  adaptCoefficients,
  adaptLabelModel,
  performanceLoss,
  synthesisePerturbations,
  updateBackdoorMask,
  updateTaskSharedMask,
  updateTogether,
  type Losses,
} from "./phases";
export {
  adaptReleasedCoefficients,
  ascendReleasedPerturbations,
  openReleasedRun,
  RELEASED_SETTINGS,
  stepReleased,
  updateReleasedMask,
  type ReleasedRun,
} from "./released";
export {
  mergeNow,
  openRun,
  pseudoLabels,
  sampleMasks,
  type DamContext,
  type DamRun,
  type DamVariables,
  type MaskName,
  type SampledMasks,
} from "./run";
export { stickerPerturbations } from "./stickers";
export type { DamWatch, Look } from "./watch";
export { keepStrongest, readStickers, tournamentStickers, tournamentValueCount, type Sticker } from "./tournament";
