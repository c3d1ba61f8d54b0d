import assert from "node:assert/strict";
import { judgeDefence, type JudgedPoint } from "../../src/selection";

const point = (zooSeed: number, seed: number | null, alpha: number | null, stage: string, acc: number, asr: number): JudgedPoint => ({
  ...{ zooSeed, seed, alpha, stage, acc, asr },
  method: alpha === null ? "ties" : "dam",
  scale: 1,
  floor: alpha === 1 ? 0.2 : null,
  view: alpha === null || stage !== "final" ? null : { entropy: 0.3, agreement: 0.95, flips: alpha === 1 ? 0.1 : 0.3, images: 1000 },
});

/** Two pairs of one zoo seed: baselines for all seeds at .7/.3 and .8/.5; each α is run before and after the final stage. */
const points = [0, 1].flatMap((seed) => [
  point(0, seed, 0, "masks", 0.8, 0.5),
  point(0, seed, 1, "masks", 0.75, 0.3),
  point(0, seed, 0, "final", 0.81, 0.5),
  point(0, seed, 1, "final", 0.8, 0.4 + seed / 50),
]);
const baselines = [point(0, null, null, "final", 0.7, 0.3), point(0, null, null, "final", 0.8, 0.5)];
const close = (actual: number, expected: number): void => assert.ok(Math.abs(actual - expected) < 1e-12, `${actual} is not ${expected}`);

describe("judgement of a defence", () => {
  const judgement = judgeDefence([...points, ...baselines], { defence: "dam", alpha: 1 });
  const find = (choice: string, stage: string) => judgement.choices.find((row) => row.choice === choice && row.stage === stage)!;

  it("judgeDefence() judges the development setting at both stages against the baselines of each pair", () => {
    // Before: at .75 the baselines have .4: gap .1 twice. After: .5 − .4 = .1 and .5 − .42 = .08, mean .09.
    close(find("development", "masks").gap.mean, 0.1);
    close(find("development", "final").gap.mean, 0.09);
    close(find("development", "final").acc, 0.8);
    close(find("development", "masks").accBelowBest, -0.05);
    close(find("development", "final").floor!, 0.2);
    assert.equal(find("development", "final").gap.pairs.length, 2);
  });

  it("judgeDefence() shows what the user would choose, and the oracle", () => {
    // Flips fall from .3 to .1 at no loss of agreement: α = 1. Before the final stage only α = 0 is near the best ACC: gap 0.
    assert.deepEqual(find("label-free", "final").alphas, [1, 1]);
    assert.deepEqual(find("oracle", "masks").alphas, [0, 0]);
    assert.deepEqual(find("oracle", "final").alphas, [1, 1]);
    const unseen = points.map((each) => ({ ...each, view: null }));
    assert.ok(!judgeDefence([...unseen, ...baselines], { defence: "dam", alpha: 1 }).choices.some(({ choice }) => choice === "label-free"));
  });

  it("judgeDefence() judges each fixed alpha, its control of the trade-off, and the area", () => {
    assert.deepEqual(
      judgement.alphas.map(({ stage, alpha }) => [stage, alpha]),
      [
        ["masks", 0],
        ["masks", 1],
        ["final", 0],
        ["final", 1],
      ],
    );
    // After: .81/.5 and .8/.41 trade; step .09 over √((0 + .0002)/2 · 1) = .01.
    assert.ok(judgement.control["final"]!.nonDominated && judgement.control["final"]!.separated);
    // Baselines: .7 · .7 + .1 · .5 = .54.
    close(judgement.hypervolume.baselines, 0.54);
  });

  it("judgeDefence() says which alpha or baseline is missing", () => {
    assert.throws(() => judgeDefence([...points, ...baselines], { defence: "dam", alpha: 3 }), {
      name: "RangeError",
      message: 'Cannot judge "dam" at alpha 3: expected one of 0, 1',
    });
    assert.throws(() => judgeDefence(points, { defence: "dam", alpha: 1 }), /expected a baseline with zoo seed 0 and seed 0, got none/);
    assert.throws(
      () => judgeDefence([...points.slice(1), ...baselines], { defence: "dam", alpha: 0 }),
      /expected a run with zoo seed 0 and seed 0/,
    );
    assert.throws(() => judgeDefence(baselines, { defence: "dam", alpha: 0 }), /expected at least 1 of its runs, got 0/);
  });
});
