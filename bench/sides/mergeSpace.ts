/**
 * What DAM does with task vectors, apart from the encoder; on a third of CLIP-ViT-B/32, four of its twelve layers, far larger than any cache.
 *
 *     mergeSpace.ts read|merge|gradient all|each [float32|bfloat16]
 *
 * The task vectors are held as the last word says. `read` reads all of them once, in float32: on `native` all threads add up their numbers, on
 * `wasm` they are copied, block by block, into a block that stays in the processor's cache, the fastest way to read in JavaScript. The others do
 * what an iteration does: `merge` makes θ = θ0 + m ⊙ Σ λ τ; `gradient` gives ∂L/∂λ, and ∂L/∂m in the place of G. A round of `all` takes six
 * tasks; one of `each` gives what one task more costs: a quarter of the difference between six tasks and two, the median of five.
 */
import { nativeVectors } from "../../src/engine";
import {
  coefficientGradient,
  createMergeSpace,
  maskGradient,
  mergeTaskVectors,
  placeMergeSpace,
  startCoefficients,
  storeTaskVector,
  type MergeSpace,
  type StoredVector,
  type VectorDtype,
} from "../../src/merging/adaptive";
import { median } from "../harness/statistics";
import { CONFIGS, randomParameters, randomTaskVector, randomValues, startBenchEngine } from "./models";
import { serveRounds } from "./serve";

const TASKS = 6;
const FEW = 2;

function openWork(
  pretrained: ReturnType<typeof randomParameters>,
  vectors: readonly StoredVector[],
  dtype: VectorDtype,
): Record<string, () => void> {
  const space = placeMergeSpace(createMergeSpace(pretrained, vectors, dtype));
  const coefficients = startCoefficients(space, "layer", 0.3);
  const [mask, gradient] = [randomValues(space.length, 1, 1), randomValues(space.length, 1, 2)];
  // U of ones: however often G is multiplied by it in place, it stays what it is.
  const [combined, theta] = [new Float32Array(space.length).fill(1), new Float32Array(space.length)];
  return {
    read: () => readOnce(space),
    merge: () => void mergeTaskVectors(space, coefficients, mask, { theta }),
    gradient() {
      coefficientGradient(space, "layer", gradient, mask);
      maskGradient(gradient, combined, gradient);
    },
  };
}

const block = new Float32Array(4096);

function readOnce({ vectors }: MergeSpace): void {
  const native = nativeVectors();
  for (const vector of vectors.flat() as Float32Array[]) {
    if (native) native.sumVector(vector);
    else for (let i = 0; i < vector.length; i += block.length) block.set(vector.subarray(i, Math.min(vector.length, i + block.length)));
  }
}

function secondsOf(work: () => void): number {
  const began = performance.now();
  work();
  return (performance.now() - began) / 1000;
}

async function main([work, count, dtype = "float32"]: readonly string[]): Promise<void> {
  const versions = await startBenchEngine();
  const config = { ...CONFIGS.b32, layers: 4 };
  const pretrained = randomParameters(config);
  const held = dtype as VectorDtype;
  const vectors = Array.from({ length: TASKS }, (_, task) => storeTaskVector(randomTaskVector(config, task), held));
  const all = openWork(pretrained, vectors, held)[work!]!;
  if (count === "all") return serveRounds(versions, all);
  const few = openWork(pretrained, vectors.slice(0, FEW), held)[work!]!;
  await serveRounds(versions, () => {
    const differences = Array.from({ length: 5 }, () => secondsOf(all) - secondsOf(few));
    return { seconds: median(differences) / (TASKS - FEW) };
  });
}

void main(process.argv.slice(2));
