export {
  adaMerging,
  adaMergingTaskwise,
  concreteAdaMerging,
  concreteTaskArithmetic,
  createAdaptationWorkers,
  loadSuiteTasks,
  runAdaMerging,
  scaledMerge,
  testTimeMethods,
  type AdaMergingOptions,
  type AdaptationContext,
  type AdaptationTask,
  type AdaptedMerge,
  type AdaptOn,
  type ConcreteAdaMergingOptions,
  type ConcreteOptions,
} from "./adaptive";
export { average, type AverageOptions } from "./average";
export { mergeCheckpoints, type MergeCheckpointsOptions } from "./mergeCheckpoints";
export { refuseForeignOutput } from "./mergedFolder";
export type { AdaptationRecord, MergeRecord } from "./mergeRecord";
export type { MergingKernel, Slice, StatisticsPass } from "./kernel";
export { mergeParameters, type MergeInput, type MergeSettings } from "./mergeParameters";
export type { DataFreeMethod, MergingMethod, TestTimeMethod } from "./method";
export { dataFreeMethods, findMethod, methodTable, parseOptions, type MethodTable } from "./methods";
export { findModelOrigin, type ModelOrigin } from "./modelOrigin";
export { parseRecipe, type MergedDtype, type MergeRecipe } from "./recipe";
export { isMerged, type MergeScope } from "./scope";
export { streamMerge, type MergedSlice, type ParameterReader, type StreamedTensor, type StreamMergeRequest } from "./streamMerge";
export { taskArithmetic, type TaskArithmeticOptions } from "./taskArithmetic";
export { ties, type TiesOptions } from "./ties";
export { rejectUnknownKeys, suggestName } from "./unknownKey";
