/** A step of DAM against the released algorithm in PyTorch. */
import type { BenchCase } from "../harness/types";
import { own, reference } from "./contestants";

const released = (size: string, images: number) => reference("PyTorch, released algorithm", "dam_step", [size, images, 6]);

/** Ours by its defaults: a round is two iterations, one a mask; the released step trains its one mask once. */
export const damStepCases: readonly BenchCase[] = [
  {
    name: "dam-step-desk",
    title: "DAM, desk model, 6 tasks x 32 images: ours two iterations (M1's and M2's), PyTorch one step of the released algorithm",
    ours: [
      own("native", "damStep", ["desk", 32, 6, "dual"], { speed: 1 }),
      own("wasm", "damStep", ["desk", 32, 6, "dual"], { speed: 0.25 }),
    ],
    references: [released("desk", 32)],
    rounds: 5,
  },
  {
    name: "dam-step-released",
    title: "the released algorithm itself, desk model, 6 tasks x 32 images, one step: ours (referenceCompat) and PyTorch",
    ours: [own("native", "damStep", ["desk", 32, 6, "released"]), own("wasm", "damStep", ["desk", 32, 6, "released"])],
    references: [released("desk", 32)],
    rounds: 5,
  },
  {
    name: "dam-step-b32",
    title: "DAM, CLIP-ViT-B/32, 6 tasks x 16 images: ours two iterations, PyTorch one step of the released algorithm (17 GB of memory)",
    ours: [own("native", "damStep", ["b32", 16, 6, "dual"], { speed: 2, memory: 0.5 })],
    references: [released("b32", 16)],
    rounds: 1,
    apart: true,
    onRequest: true,
  },
];
