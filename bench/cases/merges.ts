/** Merges of six checkpoints of CLIP-ViT-B/32 size, from files to a file, against the reference stacks. */
import type { BenchCase } from "../harness/types";
import { ownPlain, reference } from "./contestants";

const STACKS = ["fusion_bench", "mergekit"];

function mergeCase(method: string, title: string, speed: number): BenchCase {
  return {
    name: `merge-${method.replace("_", "-")}`,
    title: `${title} of six checkpoints of CLIP-ViT-B/32 size (350 MB each), read and written`,
    ours: [
      ownPlain("damlab", "merge", [method], { speed, memory: 0.25 }),
      ownPlain("damlab, first merge of files", "merge", [method, "rehash"], { speed, memory: 0.25 }),
      // mergekit's rule
      ...(method === "ties" ? [ownPlain("damlab, trim by tensor", "merge", [method, "tensor"], { speed, memory: 0.25 })] : []),
    ],
    references: [
      ...STACKS.map((stack) => reference(stack, "merge", [stack, method])),
      { ...reference("PyTorch, nothing but the arithmetic", "merge", ["torch", method]), beside: true },
    ],
    rounds: 3,
    warmUps: 1,
    apart: true,
    onRequest: true,
  };
}

/** Ties takes FusionBench some 17 GB. */
export const mergeCases: readonly BenchCase[] = [
  mergeCase("average", "plain average", 1.5),
  mergeCase("task_arithmetic", "Task Arithmetic", 1.5),
  mergeCase("ties", "Ties", 4),
];
