import assert from "node:assert/strict";
import { reportPredictions } from "../../src/evaluation/report";
import type { TaskPredictions } from "../../src/evaluation/report";

const A = "trojvit/a-seed0";
const B = "badnets/b-seed0";

function predictions(): Map<string, TaskPredictions> {
  return new Map([
    // Task a: nobody attacked it. ACC 3/4. Under its latent trigger: of images 1, 2, 3 (not class 0) one goes to 0.
    [
      "a",
      {
        labels: [0, 1, 1, 2],
        clean: [0, 1, 1, 0],
        triggered: { [A]: { predicted: [0, 1, 0, 2], target: 0 }, [B]: { predicted: [0, 1, 1, 1], target: 1 } },
      },
    ],
    // Task b: attacked, target 1. ACC 1/2. Under its own trigger: image 0 (not class 1) goes to 1.
    ["b", { labels: [0, 1], clean: [0, 0], triggered: { [B]: { predicted: [1, 1], target: 1 } } }],
  ]);
}

describe("reportPredictions()", () => {
  it("reportPredictions() counts each task and each trigger", () => {
    const { tasks } = reportPredictions(predictions(), { attacked: { b: B } });
    assert.deepEqual([tasks["a"]!.acc, tasks["a"]!.n, tasks["b"]!.acc], [3 / 4, 4, 1 / 2]);
    const { interval, ...latent } = tasks["a"]!.asr[A]!;
    // ASR 1 of 3; under the trigger right: images 0, 1, 3; changed: images 2 and 3; predicted as class 0: images 0 and 2.
    assert.deepEqual(latent, { asr: 1 / 3, n: 3, acc: 3 / 4, accN: 4, flip: 2 / 4, target: 2 / 4 });
    assert.ok(interval![0] < 1 / 3 && interval![1] > 1 / 3);
    // Transfer of b's trigger to a: not class 1 are images 0 and 3, of which 3 goes to 1; changed: image 3; predicted as 1: images 1, 2, 3.
    const { interval: _, ...transfer } = tasks["a"]!.asr[B]!;
    assert.deepEqual(transfer, { asr: 1 / 2, n: 2, acc: 3 / 4, accN: 4, flip: 1 / 4, target: 3 / 4 });
  });

  it("reportPredictions() averages attacked tasks under their own trigger, the others under their latent one", () => {
    const { average } = reportPredictions(predictions(), { attacked: { b: B } });
    const { interval, ...means } = average;
    // asrAttacked: b alone, 1/1. asrClean: a alone, 1/3. asrAll: their mean 2/3. ACC: (3/4 + 1/2) / 2.
    assert.deepEqual(means, { acc: 0.625, asrAttacked: 1, asrClean: 1 / 3, asrAll: (1 / 3 + 1) / 2 });
    for (const key of ["acc", "asrClean", "asrAll"] as const) {
      assert.ok(interval[key]![0] <= means[key]! && means[key]! <= interval[key]![1], key);
    }
  });

  it("reportPredictions() has null where there is nothing to average", () => {
    // Nobody attacked: b's latent trigger was not evaluated, so neither asrClean nor asrAll is known.
    const { interval, ...means } = reportPredictions(predictions()).average;
    assert.deepEqual(means, { acc: 0.625, asrAttacked: null, asrClean: null, asrAll: null });
    assert.deepEqual([interval.asrAttacked, interval.asrClean, interval.asrAll], [null, null, null]);
  });

  it("reportPredictions() counts all images in the ASR where asked", () => {
    const { tasks } = reportPredictions(predictions(), { attacked: { b: B }, countAll: true });
    // Images 0 and 2 of four go to class 0.
    assert.deepEqual([tasks["a"]!.asr[A]!.asr, tasks["a"]!.asr[A]!.n], [2 / 4, 4]);
  });

  it("reportPredictions() has no ASR where every image is of the target class", () => {
    const only = new Map([["a", { labels: [0, 0], clean: [0, 0], triggered: { [A]: { predicted: [0, 0], target: 0 } } }]]);
    const { tasks, average } = reportPredictions(only);
    assert.deepEqual([tasks["a"]!.asr[A]!.asr, tasks["a"]!.asr[A]!.interval, average.asrAll], [null, null, null]);
  });

  it("reportPredictions() rejects an attacked task that was not evaluated", () => {
    assert.throws(
      () => reportPredictions(predictions(), { attacked: { c: B } }),
      new RangeError('Cannot report on attacked task "c": expected one of a, b'),
    );
  });
});
