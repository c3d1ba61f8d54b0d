export { writeAll, writeFileAtomic, writeFolderAtomic, writeStreamAtomic } from "./atomic";
export { DTYPE_NAMES, dtypeBytes, isDtype, isFloating, type Dtype } from "./dtypes";
export { SafetensorsError } from "./errors";
export { type SafetensorsHeader, type TensorEntry } from "./header";
export { CHECKPOINT_FILES, openTensors } from "./openTensors";
export { MAX_HEADER_BYTES, openSafetensors, SafetensorsFiles } from "./safetensorsFile";
export { openSharded } from "./sharded";
export { type HostTensor, type NamedTensors } from "./tensors";
export { TensorSource, type TensorValues } from "./tensorSource";
export {
  type TensorContent,
  type WritableFloat,
  type WritableTensor,
  writeOrder,
  writeSafetensors,
  type WriteSafetensorsOptions,
} from "./writeSafetensors";
