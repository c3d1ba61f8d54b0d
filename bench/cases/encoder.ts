/** Products, passes, evaluation and training. */
import type { Bar, BenchCase } from "../harness/types";
import { own, reference } from "./contestants";

function passCase(size: "desk" | "b32", images: number, direction: "forward" | "backward", bar?: Bar): BenchCase {
  const words = [size, images, direction];
  const model = size === "desk" ? "desk model" : "CLIP-ViT-B/32";
  return {
    name: `encoder-${direction}-${size}`,
    title: `${direction === "backward" ? "forward and backward" : "forward"} pass of the ${model}, ${images} images`,
    ours: [own("native", "encoder", words, bar), ...(size === "desk" ? [own("wasm", "encoder", words)] : [])],
    references: [reference("PyTorch", "encoder", words)],
    rounds: size === "desk" ? 7 : 5,
    amount: images,
    unit: "images",
  };
}

/** What the encoder costs. */
export const encoderCases: readonly BenchCase[] = [
  {
    name: "matmul",
    title: "twenty products [800, 768] x [768, 3072]",
    ours: [own("native", "matmul", [])],
    references: [reference("PyTorch", "matmul", [])],
    rounds: 5,
    amount: (20 * 2 * 800 * 768 * 3072) / 1e9,
    unit: "GFLOP",
  },
  passCase("desk", 192, "forward"),
  passCase("desk", 192, "backward"),
  passCase("b32", 16, "forward", { speed: 0.85 }),
  passCase("b32", 16, "backward", { speed: 0.75 }),
  {
    name: "evaluation",
    title: "desk model's predictions of 2,400 images",
    ours: [own("native", "evaluation", []), own("wasm", "evaluation", [])],
    references: [reference("PyTorch", "evaluation", [])],
    rounds: 3,
    amount: 2400,
    unit: "images",
  },
  {
    name: "training",
    title: "ten training steps of the desk model, batch 64",
    ours: [own("native", "training", [10], { speed: 0.5 }), own("wasm", "training", [10], { speed: 0.12 })],
    references: [reference("PyTorch", "training", [])],
    rounds: 3,
    amount: 10,
    unit: "steps",
  },
];
