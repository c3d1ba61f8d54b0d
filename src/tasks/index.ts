export { auxiliary as auxiliaryClasses } from "./auxiliary";
export { seededBatches } from "./batches";
export { drawContactSheet, type ContactSheetOptions } from "./contactSheet";
export type { Generator, ImageClass } from "./generator";
export {
  CHANNELS,
  firstImages,
  gatherLabels,
  gatherPixels,
  IMAGE_SIZE,
  imageLength,
  MEAN,
  normalizePixels,
  STD,
  type ImageSet,
  type UnlabelledImageSet,
} from "./images";
export {
  AUXILIARY_CLASSES,
  classOffset,
  loadPretrainingSet,
  PRETRAINING_CLASSES,
  type PretrainingOptions,
  type PretrainingPart,
  type PretrainingSet,
} from "./pretraining";
export { pasteStamp, type Stamp } from "./stamp";
export { isTaskId, loadTask, SPLITS, SUITE_SEED, TASK_IDS, type LoadOptions, type Split, type Task, type TaskId } from "./suite";
