/** What engine `gpu` and PyTorch do on one and the same GPU; both in float32, without TF32. */
import type { BenchCase } from "../harness/types";
import { own, reference } from "./contestants";

const B32 = "CLIP-ViT-B/32";

function gpuCase(name: string, title: string, side: string, file: string, words: readonly (string | number)[], rounds = 7): BenchCase {
  return {
    name: `gpu-${name}`,
    title: `${title}, on the GPU`,
    ours: [own("gpu", side, words)],
    references: [reference("PyTorch, CUDA", file, words, "cuda")],
    rounds,
    warmUps: 2,
    onRequest: true,
  };
}

function damStep(size: "desk" | "b32", title: string, images: number): BenchCase {
  const ours = { ...own("gpu", "damStep", [size, images, 6, "dual"]), each: 2 };
  const references = [reference("PyTorch, CUDA, released algorithm", "dam_step", [size, images, 6], "cuda")];
  const name = `an iteration of DAM (ours: mean of M1's and M2's), ${title}, 6 tasks x ${images} images`;
  return { ...gpuCase(`dam-step-${size}`, name, "damStep", "dam_step", []), ours: [ours], references };
}

/** Only where they are named. */
export const gpuCases: readonly BenchCase[] = [
  damStep("desk", "desk model", 32),
  damStep("b32", B32, 16),
  {
    ...gpuCase("encoder-forward-b32", `forward pass of the ${B32}, 96 images`, "encoder", "encoder", ["b32", 96, "forward"]),
    amount: 96,
    unit: "images",
  },
  {
    ...gpuCase("encoder-backward-b32", `forward and backward pass of the ${B32}, 96 images`, "encoder", "encoder", ["b32", 96, "backward"]),
    amount: 96,
    unit: "images",
  },
  { ...gpuCase("training", "ten training steps of the desk model, batch 64", "training", "training", [10]), amount: 10, unit: "steps" },
];
