export { canonicalJson } from "./canonicalJson";
export { defineCell, type Cell, type CellDefinition, type Result } from "./cell";
export type { CellCheckpoint, CellContext } from "./cellContext";
export type { CellHelp } from "./cellDisplay";
export type { ParameterHelp } from "./parameters";
export { provenanceOf, type Provenance } from "./provenance";
export { defaultCacheFolder, ResultCache, type CacheAddress, type CacheSize } from "./resultCache";
export { configureCells, type CellSettings } from "./settings";
// For declaring the parameters of an own cell: the very library that checks them.
export { z } from "zod";
