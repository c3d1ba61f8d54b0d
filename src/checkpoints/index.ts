export { writeAll, writeFileAtomic, writeFolderAtomic, writeStreamAtomic } from "./atomic";
export { Checkpoint, isBuffer, loadNamedTensors, openCheckpoint, type OpenCheckpointOptions } from "./checkpoint";
export { DTYPE_NAMES, dtypeBytes, isDtype, isFloating, type Dtype } from "./dtypes";
export { oneLine, SafetensorsError } from "./errors";
export { narrowToBfloat16 } from "./floats";
export { hashFile } from "./hashFile";
export { type SafetensorsHeader, type TensorEntry } from "./header";
export { type CheckpointReport, inspectCheckpoint, type InspectedTensor, type InspectOptions } from "./inspectCheckpoint";
export { CHECKPOINT_FILES, openTensors } from "./openTensors";
export { MAX_HEADER_BYTES, openSafetensors, SafetensorsFiles } from "./safetensorsFile";
export { openSharded } from "./sharded";
export { openTaskVector, TaskVector, type TaskVectorLayer } from "./taskVector";
export { type ResolvedNames, resolveNames } from "./tensorNames";
export { type HostTensor, type NamedTensors } from "./tensors";
export { TensorSource, type TensorPlace, type TensorValues } from "./tensorSource";
export { type TensorStatistics, tensorStatistics } from "./tensorStatistics";
export { type CheckpointContent, writeCheckpoint } from "./writeCheckpoint";
export {
  convertFloats,
  placeSafetensors,
  type TensorContent,
  type WritableFloat,
  type WritableTensor,
  writeOrder,
  writeSafetensors,
  type WriteSafetensorsOptions,
} from "./writeSafetensors";
