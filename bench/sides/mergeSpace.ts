/**
 * What DAM does with task vectors of CLIP-ViT-B/32 size, apart from the encoder.
 *
 *     mergeSpace.ts TASKS read|merge|gradient
 *
 * `read` copies all of them, block by block, into a block that stays in the processor's cache: the fastest way to read them in JavaScript.
 * `merge` is θ = θ0 + m ⊙ Σ λ τ; `gradient` gives ∂L/∂λ and ∂L/∂m.
 */
import {
  coefficientGradient,
  combineTaskVectors,
  createMergeSpace,
  maskGradient,
  mergeMasked,
  startCoefficients,
  type MergeSpace,
} from "../../src/merging/adaptive";
import { CONFIGS, randomParameters, randomTaskVector, randomValues } from "./models";
import { serveRounds } from "./serve";

const [tasks, work] = process.argv.slice(2) as [string, string];
const config = CONFIGS.b32;
const space = createMergeSpace(
  randomParameters(config),
  Array.from({ length: Number(tasks) }, (_, task) => randomTaskVector(config, task)),
);
const coefficients = startCoefficients(space, "layer", 0.3);
const mask = randomValues(space.length, 1, 1);
const gradient = randomValues(space.length, 1, 2);
const [combined, target] = [new Float32Array(space.length), new Float32Array(space.length)];
const block = new Float32Array(4096);

const WORK: Record<string, () => void> = {
  read: () => readOnce(space),
  merge() {
    combineTaskVectors(space, coefficients, combined);
    mergeMasked(space, combined, mask, target);
  },
  gradient() {
    coefficientGradient(space, "layer", gradient, mask);
    maskGradient(gradient, combined, target);
  },
};

function readOnce({ vectors }: MergeSpace): void {
  for (const layer of vectors) {
    for (const vector of layer) {
      for (let i = 0; i < vector.length; i += block.length) block.set(vector.subarray(i, Math.min(vector.length, i + block.length)));
    }
  }
}

void serveRounds({}, WORK[work]!);
