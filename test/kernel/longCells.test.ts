import assert from "node:assert/strict";
import { join } from "node:path";
import { writePicoZoo } from "../cells/fixtures/picoZoo";
import { type Answer, TestKernel } from "./client";

const PREPARE = `import { buildDualMasks, configureCells, loadSuite, loadTaskVectors, metaOptimize, ResultCache } from "damlab";
configureCells({ cache: new ResultCache("cache") });
const vectors = await loadTaskVectors(await loadSuite("zoo"), { tasks: ["mnist", "eurosat"] });
const masks = await buildDualMasks(vectors);`;

/** Enough steps that it can be interrupted twice. */
const OPTIMISE = `const merged = await metaOptimize(vectors, masks, { steps: 24, finalAdaptSteps: 1, labelSteps: 1, ascentSteps: 1, batchSize: 4 });
[merged.completed, merged.history.length]`;

describe("damlab's long cells in the kernel", () => {
  let kernel: TestKernel;
  before(async () => {
    kernel = await TestKernel.start({ DAMLAB_ENGINE: "wasm" });
    await writePicoZoo(join(kernel.folder, "zoo"));
    const { reply } = await kernel.execute(PREPARE);
    assert.equal(reply.content.status, "ok", reply.content.evalue);
  });
  after(() => kernel.stop());

  /** Numbers of steps done that the progress display has shown, in their order. */
  function stepsShown(id: string): number[] {
    return kernel.of(id).flatMap(({ type, content }) => {
      const steps = /display_data$/.test(type) && /(\d+)\/\d+ steps/.exec(content.data["text/plain"])?.[1];
      return steps ? [Number(steps)] : [];
    });
  }

  /** Interrupts the cell once it has done `steps` steps. */
  async function interruptAfter(steps: number, interrupt: () => Promise<unknown> | void): Promise<{ id: string; answer: Answer }> {
    const id = await kernel.begin(OPTIMISE);
    await kernel.until(() => stepsShown(id).find((shown) => shown >= steps), `step ${steps}`);
    await interrupt();
    return { id, answer: await kernel.answer(id) };
  }

  it("metaOptimize() stops after its step when it is interrupted, and goes on from there when it runs again", async () => {
    const first = await interruptAfter(2, () => kernel.send("interrupt_request", {}, "control"));
    assert.deepEqual([first.answer.reply.content.ename, first.answer.reply.content.evalue], ["AbortError", "Interrupted"]);
    assert.equal(first.answer.stderr, "Stopping after this step. Interrupt again to stop at once.\n");
    const done = stepsShown(first.id).at(-1)!;
    const second = await interruptAfter(done + 2, () => kernel.signalGroup("SIGINT"));
    assert.deepEqual([second.answer.reply.content.ename, stepsShown(second.id)[0]], ["AbortError", done]);
    assert.equal((await kernel.execute("vectors.models.length")).result, "2");
    const doneThen = stepsShown(second.id).at(-1)!;
    const last = await kernel.begin(OPTIMISE);
    const { result, reply } = await kernel.answer(last);
    assert.deepEqual([stepsShown(last)[0], result], [doneThen, "[ true, 26 ]"], reply.content.evalue);
  });
});
