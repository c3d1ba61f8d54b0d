export {
  ENGINE_NAMES,
  isSingleThreaded,
  probeEngines,
  runningEngine,
  startEngine,
  type EngineName,
  type EngineProbe,
  type EngineReport,
} from "./backend";
export { ACTIVATIONS, gelu, quickGelu, type Activation } from "./activations";
export { attention, type AttentionShape } from "./attention";
export { downloadInto } from "./download";
export { defineFusedKernel, withPlainLoops, type FusedGradient, type FusedKernel, type KernelAttributes } from "./fusedKernel";
export { valueAndGradients, type ValueAndGradients } from "./gradients";
export { layerNorm } from "./layerNorm";
export { linear, matMul } from "./linear";
export { cutPatches } from "./patches";
export { randomStream, RandomStream, threefry2x32 } from "./random";
export { createWorkers, defaultWorkerCount, startWorkerEngine, type Workers, type WorkersOptions } from "./workers";
export {
  addVector,
  allocateVectors,
  dotVectors,
  mergeVectors,
  nativeVectors,
  placeVectors,
  widenBfloat16,
  type MergeTargets,
  type NativeVectors,
  type Vectors,
} from "./vectors";
