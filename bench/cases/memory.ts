/** Memory after a thousand steps is what it was after ten. */
import type { BenchCase } from "../harness/types";
import { own } from "./contestants";

const [FEW, MANY] = [10, 1000];

function memoryCase(name: string, title: string, side: string, words: (steps: number) => readonly (string | number)[]): BenchCase {
  const after = (steps: number, bar?: { memory: number }) => ({
    ...own("native", side, words(steps), bar),
    name: `${steps} steps`,
    each: steps,
  });
  return {
    name: `memory-${name}`,
    title: `a step of ${title}, and the peak memory of ${MANY} against that of ${FEW}`,
    ours: [after(MANY, { memory: 1.1 })],
    references: [after(FEW)],
    rounds: 1,
    warmUps: 0,
    onRequest: true,
  };
}

/** Nothing is leaked from step to step. */
export const memoryCases: readonly BenchCase[] = [
  memoryCase("training", "training the desk model, batch 64", "training", (steps) => [steps]),
  memoryCase("dam", "DAM, desk model, 6 tasks x 4 images", "damStep", (steps) => ["desk", 4, 6, "dual", steps]),
];
