/**
 * What a notebook needs: the cells, and the values that they take and give. The rooms below them are subpaths (`damlab/merging`, …).
 */
export { randomStream, type RandomStream } from "./engine/random";
