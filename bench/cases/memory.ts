/** Memory after a thousand steps is what it was after ten. */
import type { BenchCase } from "../harness/types";
import { own } from "./contestants";

/** Steps of a round; the first round is the ten, all rounds the thousand. */
const STEPS = 10;
const ROUNDS = 100;

function memoryCase(name: string, title: string, side: string, words: readonly (string | number)[]): BenchCase {
  return {
    name: `memory-${name}`,
    title: `a step of ${title}; memory held after ${ROUNDS * STEPS} of them against that after ${STEPS}`,
    ours: (["native", "wasm"] as const).map((engine) => ({ ...own(engine, side, words, { growth: 1.1 }), each: STEPS })),
    references: [],
    rounds: ROUNDS,
    warmUps: 0,
    onRequest: true,
  };
}

/** Nothing is leaked from step to step. */
export const memoryCases: readonly BenchCase[] = [
  memoryCase("training", "training the desk model, batch 64", "training", [STEPS]),
  memoryCase("dam", "DAM, desk model, 6 tasks x 4 images", "damStep", ["desk", 4, 6, "dual", STEPS]),
];
