export { writeFileAtomic, writeFolderAtomic, writeStreamAtomic, writeAll } from "./atomic";
export type { HostTensor, NamedTensors } from "./tensors";
