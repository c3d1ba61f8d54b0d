export { clipGradient, startAdam, stepAdam, type AdamOptions, type AdamState, type ParameterGroup } from "./adam";
export { joinBatches, labelledBatches, type Batch, type BatchSource } from "./batch";
export { classificationGradient, oneHot, type Classification, type ClassDirections } from "./classification";
export { fineTune, type FineTuneRecipe, type FineTuneTask } from "./fineTune";
export {
  downloadGradients,
  layoutParameters,
  packParameters,
  unpackParameters,
  uploadVector,
  vectorLength,
  type ParameterLayout,
  type ParameterSlot,
} from "./parameterVector";
export { pretrain, type PieceGradient, type PretrainedBase, type PretrainRecipe } from "./pretrain";
export { cosineLearningRate, type CosineSchedule } from "./schedule";
export { train, type StepGradient, type TrainingOptions, type TrainingRun } from "./train";
export { loadTrainingState, saveTrainingState, type SavedRun, type TrainingState } from "./trainingState";
