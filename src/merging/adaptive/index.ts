/** Merging methods that look at unlabelled images, on one engine of closed-form gradients. */
import type { MergingMethod } from "../method";
import { adaMerging, adaMergingTaskwise } from "./adaMerging";
import { concreteAdaMerging, concreteTaskArithmetic } from "./concrete";

export { openWorkplace, type AdaptationContext, type Workplace, type WorkplaceOptions } from "./adaptation";
export {
  DESK_NORMALIZATION,
  drawBatches,
  gatherNormalized,
  indicesOf,
  type AdaptationTask,
  type BatchDraw,
  type Normalization,
} from "./adaptationTask";
export {
  adaMerging,
  ADAMERGING_DEFAULTS,
  adaMergingTaskwise,
  adaptCoefficients,
  clampCoefficients,
  runAdaMerging,
  type AdaMergingOptions,
  type AdaptedMerge,
  type CoefficientPhase,
} from "./adaMerging";
export { classifyAll } from "./classifyAll";
export { concreteAdaMerging, concreteTaskArithmetic, type ConcreteAdaMergingOptions, type ConcreteOptions } from "./concrete";
export {
  composeMasks,
  logisticNoise,
  logitGradient,
  MASK_TEMPERATURE,
  maskDensity,
  product,
  relaxMask,
  thresholdMask,
  type ConcreteMask,
  type EvaluationMask,
} from "./concreteMask";
export { evaluationMask } from "./evaluationMask";
export { gateGradient, meanGate, openGates } from "./gates";
export { computeLoss, crossEntropyTo, entropyLoss, meanEntropy, type TaskLoss } from "./losses";
export {
  fileStore,
  keepVariable,
  resetOptimiser,
  runLoop,
  startVariable,
  stepVariable,
  type Loop,
  type LoopResult,
  type RunOptions,
  type RunState,
  type RunStore,
  type StepNumbers,
  type Variable,
} from "./loop";
export { expandMask, layoutMask, sumOverElements, type MaskGranularity, type MaskLayout, type MaskSlot } from "./maskLayout";
export {
  coefficientGradient,
  coefficientIndex,
  combineTaskVectors,
  createMergeSpace,
  maskGradient,
  mergedParameters,
  mergeMasked,
  mergeTaskVectors,
  placeMergeSpace,
  startCoefficients,
  type CoefficientGranularity,
  type Coefficients,
  type MergeSpace,
} from "./mergeSpace";
export {
  allocateTaskVectors,
  fillTensor,
  storeTaskVector,
  storeTensor,
  VECTOR_DTYPE_TEXT,
  vectorDtypeOf,
  vectorDtypeSchema,
  type StoredTensor,
  type StoredVector,
  type VectorDtype,
} from "./storedVectors";
export { scaledMerge } from "./scaledMerge";
export { adaptationImages, adaptationTasks, loadSuiteTasks, type AdaptOn, type SuiteTasks } from "./suiteTasks";
export { tiesTaskVectors } from "./tiesVectors";
export { computeClasses, computePass, type PassRequest, type PassResult, type TowerParts } from "./pass";
export { AdaptationTower, createAdaptationWorkers } from "./tower";

/** Rows for the table of methods: AdaMerging layer-wise and task-wise, Concrete Task Arithmetic, Concrete AdaMerging. */
export const testTimeMethods: readonly MergingMethod[] = [adaMerging, adaMergingTaskwise, concreteTaskArithmetic, concreteAdaMerging];
