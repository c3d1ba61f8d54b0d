/**
 * What a notebook needs: the cells, with the values that they take and give, and the engine they compute on. The rooms below them are
 * subpaths (`damlab/merging`, …).
 */
export * from "./cells";
export { randomStream, RandomStream, startEngine, type EngineReport } from "./engine";
