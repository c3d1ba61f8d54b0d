import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { z } from "zod";
import { defineCell, ResultCache } from "../../src/cells";
import { lineProgress, silentProgress } from "../../src/display/progress";

const script = path.join(__dirname, "fixtures", "countingCell.ts");

/** One process of `fixtures/countingCell.ts`. */
class Counting {
  readonly child: ChildProcess;
  output = "";
  constructor(folder: string, steps: number, pause: number) {
    this.child = spawn(process.execPath, ["--require", "tsx/cjs", script, folder, String(steps), String(pause)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.child.stdout!.on("data", (bytes: Buffer) => (this.output += bytes.toString()));
  }
  async until(text: string): Promise<void> {
    while (!this.output.includes(text))
      await Promise.race([once(this.child.stdout!, "data"), once(this.child, "close").then(() => this.mustHave(text))]);
  }
  mustHave(text: string): void {
    assert.ok(this.output.includes(text), `expected ${text}, got ${this.output}`);
  }
  async ended(): Promise<string> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, "close");
    else await new Promise((resolve) => setTimeout(resolve, 20));
    return this.output;
  }
  /** Numbers of the steps that this process computed. */
  get steps(): number[] {
    return [...this.output.matchAll(/step (\d+)/g)].map((match) => Number(match[1]));
  }
}

describe("long cells", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "damlab-long-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("a killed cell goes on from its last checkpoint and ends at the same result", async () => {
    const killed = new Counting(folder, 6, 50);
    await killed.until("step 2");
    killed.child.kill("SIGKILL");
    await killed.ended();
    const resumed = new Counting(folder, 6, 1);
    // 1 + 2 + 3 + 4 + 5 + 6.
    assert.match(await resumed.ended(), /total 21\n$/);
    assert.equal(resumed.steps[0], killed.steps.at(-1)! + 1);
    assert.equal(resumed.steps.at(-1), 5);
    // Done: the state is gone, the result is kept.
    assert.deepEqual(await readdir(path.join(folder, "states", "count")), []);
    assert.equal(await new Counting(folder, 6, 1).ended(), "total 21\n");
  });

  it("an interrupted cell stops cleanly and goes on later", async () => {
    const interrupted = new Counting(folder, 5, 50);
    await interrupted.until("step 1");
    interrupted.child.kill("SIGINT");
    assert.match(await interrupted.ended(), /interrupted\n$/);
    assert.equal(interrupted.child.exitCode, 3);
    const resumed = new Counting(folder, 5, 1);
    assert.match(await resumed.ended(), /total 15\n$/);
    assert.ok(resumed.steps[0]! >= 2);
  });

  it("processes that compute one key at once all end well", async () => {
    const racing = [0, 1, 2].map(() => new Counting(folder, 12, 2));
    for (const process of racing) assert.match(await process.ended(), /total 78\n$/);
    const cache = new ResultCache(folder);
    const problems: string[] = [];
    const names = await readdir(path.join(folder, "results", "count"));
    const key = names.find((name) => name.endsWith(".json"))!.replace(".json", "");
    assert.deepEqual(await cache.load({ kind: "results", cell: "count", key }, (problem) => problems.push(problem)), { total: 78 });
    assert.deepEqual(problems, []);
  });

  it("a cell hears its signal, ends its progress, and keeps nothing", async () => {
    const text: string[] = [];
    const controller = new AbortController();
    const endless = defineCell({
      name: "endless",
      version: 1,
      summary: "",
      inputs: [],
      engine: false,
      parameters: z.object({}),
      async run(_: [], __, { progress, breathe }) {
        const task = progress.start("Endless");
        for (let step = 1; ; step++) {
          task.update({ step });
          if (step === 3) controller.abort(new Error("Enough"));
          await breathe();
        }
      },
    }).with({
      cache: new ResultCache(folder),
      signal: controller.signal,
      progress: lineProgress({ stream: { write: (line) => text.push(line) }, clock: () => 0 }),
    });
    await assert.rejects(endless() as Promise<object>, new Error("Enough"));
    assert.deepEqual(text, ["Endless  0 steps\n", "Endless  3 steps  interrupted after 0.0 s\n"]);
    assert.deepEqual(await readdir(folder), []);
    await assert.rejects(endless() as Promise<object>, new Error("Enough"));
  });

  it("cells leave no listener for interrupts behind", async () => {
    const before = process.listenerCount("SIGINT");
    let during = 0;
    const count = (): { done: true } => ((during = process.listenerCount("SIGINT")), { done: true });
    const quick = defineCell({ name: "quick", version: 1, summary: "", inputs: [], engine: false, parameters: z.object({}), run: count });
    await quick.with({ cache: null, progress: silentProgress })();
    assert.deepEqual([during, process.listenerCount("SIGINT")], [before + 1, before]);
  });
});
