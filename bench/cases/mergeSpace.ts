/** Merge and gradients of task vectors against reading them once. */
import type { BenchCase } from "../harness/types";
import { own } from "./contestants";

/** At most 1.3 times what reading costs: of each task more on every engine; on `native`, which has threads for it, of all of them, too. */
const BAR = { speed: 0.77 };

function spaceCase(engine: "native" | "wasm", count: "all" | "each"): BenchCase {
  const barred = count === "each" || engine === "native";
  const side = (name: string, work: string, dtype = "float32") => ({
    ...own(engine, "mergeSpace", [work, count, dtype], barred && dtype === "float32" ? BAR : undefined),
    name,
  });
  const amount = count === "all" ? "six task vectors" : "each task more";
  return {
    name: `merge-space-${count}-${engine}`,
    title: `merge and gradients of ${amount} against reading it once, ${engine}, four layers of CLIP-ViT-B/32`,
    ours: [
      side("merge", "merge"),
      side("gradients of λ and mask", "gradient"),
      side("merge, bfloat16", "merge", "bfloat16"),
      side("gradients of λ and mask, bfloat16", "gradient", "bfloat16"),
    ],
    references: [{ ...own(engine, "mergeSpace", ["read", count]), name: "reading once" }],
    rounds: 7,
  };
}

/** Linear in tasks? */
export const mergeSpaceCases: readonly BenchCase[] = (["native", "wasm"] as const).flatMap((engine) => [
  spaceCase(engine, "all"),
  spaceCase(engine, "each"),
]);
