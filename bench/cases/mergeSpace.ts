/** Merge and gradients of task vectors against reading them once. */
import type { BenchCase } from "../harness/types";
import { ownPlain } from "./contestants";

/** At most 1.3 times as long as reading the task vectors once. */
const BAR = { speed: 0.77 };

function spaceCase(tasks: number): BenchCase {
  const side = (name: string, work: string, bar = true) => ownPlain(name, "mergeSpace", [tasks, work], bar ? BAR : undefined);
  return {
    name: `merge-space-${tasks}`,
    title: `merge and gradients of ${tasks} task vectors of CLIP-ViT-B/32 against reading them once`,
    ours: [side("merge", "merge"), side("gradients of λ and mask", "gradient")],
    references: [side("reading once", "read", false)],
    rounds: 3,
    onRequest: true,
  };
}

/** Linear in tasks? */
export const mergeSpaceCases: readonly BenchCase[] = [2, 4, 6].map(spaceCase);
