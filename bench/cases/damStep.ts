/** A step of DAM against the released algorithm in PyTorch. */
import type { Bar, BenchCase, OwnContestant } from "../harness/types";
import type { ModelSize } from "../sides/models";
import { own, reference } from "./contestants";

const released = (size: string, images: number) => reference("PyTorch, released algorithm", "dam_step", [size, images, 6]);

/** A round does two iterations, M1's and M2's. */
function dual(engine: "native" | "wasm", size: ModelSize, images: number, tasks: number, bar?: Bar): OwnContestant {
  return { ...own(engine, "damStep", [size, images, tasks, "dual"], bar), each: 2 };
}

const [NATIVE, WASM]: Bar[] = [{ speed: 1 }, { speed: 0.25 }];

/** A step updates λ once and one mask once: an iteration of ours, the mean of M1's and M2's, and a step of the released algorithm. */
export const damStepCases: readonly BenchCase[] = [
  {
    name: "dam-step-desk",
    title: "an iteration of DAM (ours: mean of M1's and M2's), desk model, 6 tasks x 32 images",
    ours: [dual("native", "desk", 32, 6, NATIVE), dual("wasm", "desk", 32, 6, WASM)],
    references: [released("desk", 32)],
    rounds: 3,
  },
  {
    name: "dam-step-released",
    title: "a step of the released algorithm on both sides (ours: referenceCompat), desk model, 6 tasks x 32 images",
    ours: [own("native", "damStep", ["desk", 32, 6, "released"], NATIVE), own("wasm", "damStep", ["desk", 32, 6, "released"], WASM)],
    references: [released("desk", 32)],
    rounds: 3,
  },
  {
    name: "dam-step-tasks",
    title: "an iteration of DAM with 6 tasks x 8 images against one with 2 tasks x 24: the same images in as many encoder passes",
    ours: [{ ...dual("native", "desk", 8, 6), name: "6 tasks" }],
    references: [{ ...dual("native", "desk", 24, 2), name: "2 tasks" }],
    rounds: 3,
  },
  {
    name: "dam-step-images",
    title: "an iteration of DAM, desk model, 6 tasks, a time for each 8 images a task: batches of 32 against batches of 8",
    ours: [{ ...dual("native", "desk", 32, 6), name: "32 images a task", each: 8 }],
    references: [{ ...dual("native", "desk", 8, 6), name: "8 images a task" }],
    rounds: 3,
  },
  {
    name: "dam-step-parameters",
    title: "an iteration of DAM, 6 tasks x 16 images, a time for each 4 layers: the desk model with 16 layers against 4",
    ours: [{ ...dual("native", "deep", 16, 6), name: "16 layers", each: 8 }],
    references: [{ ...dual("native", "desk", 16, 6), name: "4 layers" }],
    rounds: 3,
  },
  {
    name: "dam-step-b32",
    title: "an iteration of DAM (ours: mean of M1's and M2's), CLIP-ViT-B/32, 6 tasks x 16 images",
    ours: [dual("native", "b32", 16, 6, { speed: 2, memory: 0.5 })],
    references: [released("b32", 16)],
    rounds: 1,
    warmUps: 0,
    apart: true,
    onRequest: true,
  },
];
