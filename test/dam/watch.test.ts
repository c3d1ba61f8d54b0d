import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { runDam, type DamOptions, type DamWatch, type Look } from "../../src/dam";
import { startEngine } from "../../src/engine";
import { fileStore } from "../../src/merging/adaptive";
import { stopWatch } from "../../src/selection";
import { bytesOf, CONTEXT } from "./pico";

const SHORT = { steps: 6, finalAdaptSteps: 2, labelSteps: 2, batchSize: 4, stickerMin: 2, stickerMax: 3, maskLearningRate: 0.1 } as const;
const run = (watch?: DamWatch, options: Partial<DamOptions> = {}, changes: Partial<typeof CONTEXT> = {}) =>
  runDam({ ...CONTEXT, ...changes, ...(watch && { watch }) }, { ...SHORT, ...options });

/** Looks at nothing: the numbers are those of the list, one look after the other. */
function scripted(flips: readonly number[], settleAfter = Infinity): DamWatch & { readonly seen: string[] } {
  const seen: string[] = [];
  return {
    seen,
    every: 2,
    look: (candidate, unmasked) => {
      seen.push(`${bytesOf(candidate)} beside ${bytesOf(unmasked)}`);
      return Promise.resolve({ entropy: 1, agreement: 1, flips: flips[seen.length - 1]!, images: 10 });
    },
    choose: (looks: readonly Look[]) => {
      const best = looks.reduce((least, look, index) => (look.flips < looks[least]!.flips ? index : least), 0);
      return { best, settled: looks.length >= settleAfter };
    },
  };
}

describe("runDam() with a watch", () => {
  before(async () => void (await startEngine()));

  it("a watch that wants the last look changes no byte, and is shown the merge as it would be then", async () => {
    const watch = scripted([0.5, 0.4, 0.3]);
    const [watched, plain, half] = [await run(watch), await run(), await run(undefined, { steps: 4, finalAdaptSteps: 0 })];
    assert.equal(bytesOf(watched.parameters), bytesOf(plain.parameters));
    assert.equal(bytesOf(watched.beforeFinal.parameters), bytesOf(plain.beforeFinal.parameters));
    assert.equal(watched.iterations, 6);
    assert.equal(watch.seen.length, 3);
    assert.ok(watch.seen[1]!.startsWith(bytesOf(half.parameters)));
    assert.deepEqual(watched.history.flatMap(({ flips }) => flips ?? []), [0.5, 0.4, 0.3]); // prettier-ignore
  });

  for (const [flips, settleAfter] of [
    [[0.5, 0.2, 0.3], Infinity],
    [[0.5, 0.2, 0.3, 0], 3],
    [[0.1, 0.2], 2],
  ] as const)
    // prettier-ignore
    it(`the masks of the best look are those of a run that long: ${flips.join(", ")}`, async () => {
      const watch = scripted(flips, settleAfter);
      const best = 2 * (1 + flips.indexOf(Math.min(...flips.slice(0, settleAfter)) as never));
      const [watched, short] = [await run(watch, { steps: 6 }), await run(undefined, { steps: best })];
      assert.equal(watched.iterations, best);
      assert.equal(bytesOf(watched.beforeFinal.parameters), bytesOf(short.beforeFinal.parameters));
      assert.equal(bytesOf(watched.parameters), bytesOf(short.parameters));
      assert.equal(watch.seen.length, Math.min(3, settleAfter));
      assert.equal(watched.completed, true);
    });

  it("goes on after an interrupt at any stage to the same bytes", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "damlab-watch-"));
    const watch = () =>
      stopWatch({ ...CONTEXT, seed: 3 }, { every: 2, patience: 1, view: { images: 8, steps: 3, batchSize: 4, sides: [2, 3] } });
    try {
      const whole = await run(watch());
      for (const stopAt of [1, 4, 5, 7, 9]) {
        const store = fileStore(path.join(folder, `state-${stopAt}.safetensors`), "key");
        const controller = new AbortController();
        const progress = { start: () => ({ update: ({ step }: { step: number }) => step === stopAt && controller.abort(), finish() {} }) };
        await run(watch(), {}, { store, signal: controller.signal, progress, whenInterrupted: "return" });
        const rest = await run(watch(), {}, { store });
        assert.equal(bytesOf(rest.parameters), bytesOf(whole.parameters), `after step ${stopAt}`);
        assert.equal(rest.iterations, whole.iterations);
        assert.deepEqual(rest.history, whole.history);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("an interrupt keeps the best look so far", async () => {
    const controller = new AbortController();
    const progress = { start: () => ({ update: ({ step }: { step: number }) => step === 7 && controller.abort(), finish() {} }) };
    const part = await run(scripted([0.1, 0.2, 0.3]), {}, { signal: controller.signal, progress, whenInterrupted: "return" });
    assert.equal(part.completed, false);
    assert.equal(part.iterations, 2);
    assert.equal(bytesOf(part.parameters), bytesOf((await run(undefined, { steps: 2, finalAdaptSteps: 0 })).parameters));
  });

  it("says how many iterations were run where nobody watches", async () => {
    assert.equal((await run()).iterations, 6);
    assert.equal((await run(undefined, { steps: 0 })).iterations, 0);
  });

  it("a stopWatch() gives the same bytes twice, takes one of its looks, and leaves no tensor", async () => {
    const watch = () => stopWatch(CONTEXT, { every: 3, view: { images: 8, steps: 2, batchSize: 4, sides: [2, 3] } });
    const first = await run(watch());
    const { numTensors } = tf.memory();
    const second = await run(watch());
    assert.equal(tf.memory().numTensors, numTensors);
    assert.equal(bytesOf(first.parameters), bytesOf(second.parameters));
    assert.ok([3, 6].includes(first.iterations));
  });

  it("refuses a look whose masks were not kept", async () => {
    const choices = [0, 1, 0];
    const fickle = { ...scripted([0.3, 0.2, 0.1]), choose: () => ({ best: choices.shift()!, settled: false }) };
    await assert.rejects(run(fickle), /^RangeError: Cannot take look 0: expected look 1 or the newest, 2$/);
  });

  it("refuses looks that never come", async () => {
    for (const every of [0, 1.5])
      await assert.rejects(
        run({ ...scripted([]), every }),
        new RegExp(`^RangeError: Cannot watch DAM: expected a whole number of iterations .* got ${every}$`),
      );
  });
});
