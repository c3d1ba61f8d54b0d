import assert from "node:assert/strict";
import * as path from "node:path";
import { startContestant } from "../../bench/harness/contestant";

const SIDE = path.join(__dirname, "..", "..", "bench", "sides", "damStep.ts");

async function passesOfTwoIterations(tasks: number): Promise<unknown> {
  const words = ["--require", "tsx/cjs", SIDE, "pico", "4", String(tasks), "dual"];
  const contestant = await startContestant({ name: "damlab", program: process.execPath, words, environment: { DAMLAB_ENGINE: "cpu" } });
  await contestant.round();
  await contestant.close();
  return contestant.facts["passes"];
}

describe("bench/damStep", () => {
  it("damStep does five encoder passes in two iterations, however many tasks there are", async function () {
    this.timeout(120_000);
    // M1: one clean pass; M2: one clean, two of ascent alone, and one that serves ascent and mask
    assert.equal(await passesOfTwoIterations(2), 5);
    assert.equal(await passesOfTwoIterations(6), 5);
  });
});
