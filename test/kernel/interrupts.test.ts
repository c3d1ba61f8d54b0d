import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import { type Answer, TestKernel } from "./client";

/** Cells that never end, and in which loops and awaits can be stopped. */
const ENDLESS = {
  "a loop": "for (;;) {}",
  "a loop after a microtask": "await 0;\nwhile (true) {}",
  "a loop after a timer": "await new Promise((resolve) => setTimeout(resolve, 5));\ndo {} while (true);",
  "a loop inside a setTimeout callback": "await new Promise(() => setTimeout(() => { for (;;) {} }, 5));",
  "an awaited sleep": "await new Promise((resolve) => setTimeout(resolve, 60_000));",
  "a loop in a local module": 'import { spin } from "./spin";\nspin();',
  "an endless recursion of awaits": "const again = async (): Promise<void> => { await 0; return again(); };\nawait again();",
  "an endless async iteration":
    "for await (const tick of (async function* () { for (;;) yield await new Promise((r) => setImmediate(r)); })()) {}",
};

/** Cells inside code that only the end of the process stops. */
const DEAF = {
  "a loop in a dependency": 'import { spin } from "spinner";\nspin();',
  execSync: 'import { execSync } from "node:child_process";\nexecSync("sleep 60");',
  "Atomics.wait": "await 0;\nAtomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);",
};

/** Longest time of an interrupt with its reply; of the line that says that it can't; of a new process with its first result. */
const STOP_MS = 100;
const WARN_MS = 500;
const RENEW_MS = 1000;

/** A machine that is busy with other things may be late now and then, but not three times in a row. */
const ATTEMPTS = 3;

describe("kernel interrupts", () => {
  let kernel: TestKernel;
  before(async () => {
    kernel = await TestKernel.start();
    const dependency = join(kernel.folder, "node_modules", "spinner");
    mkdirSync(dependency, { recursive: true });
    writeFileSync(join(dependency, "index.js"), "exports.spin = () => { for (;;) {} };");
    writeFileSync(join(dependency, "index.d.ts"), "export function spin(): void;");
    writeFileSync(join(kernel.folder, "spin.ts"), "export function spin(): void { for (;;) {} }");
  });
  beforeEach(async () => {
    const { reply } = await kernel.execute(
      'let kept = 1;\nasync function nap() { try { await new Promise(() => setTimeout(() => {}, 60_000)); } finally { console.log("nap over"); } }',
    );
    assert.equal(reply.content.status, "ok", reply.content.evalue);
  });
  afterEach(async () => {
    // Whatever a failed test has left running must not keep the next one waiting.
    for (let count = 0; count < 10 && !(await isFree()); count++) await ways.interrupt_request();
  });
  after(() => kernel.stop());

  async function isFree(): Promise<boolean> {
    const id = await kernel.begin("1");
    const free = kernel.answer(id).then(
      () => true,
      () => false,
    );
    return Promise.race([free, new Promise<boolean>((resolve) => setTimeout(resolve, 1000, false))]);
  }

  /** Repeats a measurement until it is fast enough; `measure` returns milliseconds by name. */
  async function assertFast(limits: Readonly<Record<string, number>>, measure: () => Promise<Readonly<Record<string, number>>>) {
    let slow: string[] = [];
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const measured = await measure();
      // Where processes wait in line for a core, each of ours waits, too.
      const crowd = Math.max(1, loadavg()[0]! / availableParallelism());
      slow = Object.entries(limits).flatMap(([name, limit]) => (measured[name]! < limit * crowd ? [] : [`${name}: ${measured[name]} ms`]));
      if (slow.length === 0) return;
    }
    assert.fail(slow.join(", "));
  }

  async function interrupted(
    code: string,
    interrupt: (id: string) => Promise<unknown> | void,
  ): Promise<{ answer: Answer; milliseconds: number }> {
    const id = await kernel.begin(`console.log("begun");\n${code}`);
    await kernel.until(() => kernel.of(id).find(({ type }) => type === "stream"), "the begin of the cell");
    await new Promise((resolve) => setTimeout(resolve, 50));
    const began = performance.now();
    await interrupt(id);
    const answer = await kernel.answer(id);
    return { answer, milliseconds: performance.now() - began };
  }

  const ways = {
    interrupt_request: () => kernel.send("interrupt_request", {}, "control"),
    SIGINT: () => kernel.signalGroup("SIGINT"),
  };
  for (const [way, interrupt] of Object.entries(ways))
    for (const [what, code] of Object.entries(ENDLESS))
      it(`${way} ends ${what} at once and keeps the state`, () =>
        assertFast({ interrupt: STOP_MS }, async () => {
          const { answer, milliseconds } = await interrupted(code, interrupt);
          assert.equal(answer.reply.content.ename, "KernelInterrupted");
          const { result, reply } = await kernel.execute("kept");
          assert.equal(result, "1", JSON.stringify(reply.content));
          return { interrupt: milliseconds };
        }));

  for (const [way, interrupt] of Object.entries(ways)) {
    it(`${way} leaves alone the cell that runs next`, async () => {
      let hit = 0;
      for (let time = 0; time < 5; time++) {
        await interrupted("for (;;) {}", interrupt);
        const { reply } = await kernel.execute("for (const end = Date.now() + 60; Date.now() < end;);");
        if (reply.content.status !== "ok") hit++;
      }
      assert.equal(hit, 0);
    });

    it(`${way} reaches the awaits of functions of earlier cells`, async () => {
      const { answer } = await interrupted("await nap();", interrupt);
      assert.deepEqual([answer.reply.content.ename, answer.stdout], ["KernelInterrupted", "begun\nnap over\n"]);
    });

    it(`${way} can be caught; the next one ends the cell`, async () => {
      const sleep = "await new Promise((resolve) => setTimeout(resolve, 60_000))";
      const once = await interrupted(`try { ${sleep}; } catch { console.log("caught"); }\n"went on"`, interrupt);
      assert.deepEqual([once.answer.reply.content.status, once.answer.stdout, once.answer.result], ["ok", "begun\ncaught\n", "'went on'"]);
      const twice = await interrupted(`for (;;) try { ${sleep}; } catch { console.log("caught"); }`, async (id) => {
        await interrupt();
        await kernel.until(() => kernel.of(id).find(({ content }) => content.text === "caught\n"), "the first interrupt");
        // Both tellings of the first one must be over.
        await new Promise((resolve) => setTimeout(resolve, 600));
        await interrupt();
      });
      assert.equal(twice.answer.reply.content.ename, "KernelInterrupted");
    });

    it(`${way} ends a loop in a late callback that keeps the next cell waiting`, async () => {
      await kernel.execute("setTimeout(() => { for (;;) {} }, 20); 0");
      await new Promise((resolve) => setTimeout(resolve, 100));
      const id = await kernel.begin("kept + 1");
      await new Promise((resolve) => setTimeout(resolve, 100));
      await interrupt();
      // It runs now, or was not yet compiled when it was interrupted.
      await kernel.answer(id);
      assert.equal((await kernel.execute("kept + 1")).result, "2");
    });

    it(`${way} ends user_expressions and values that show themselves for ever`, async () => {
      const id = await kernel.begin('console.log("begun")', { user_expressions: { endless: "(() => { for (;;) {} })()" } });
      await kernel.until(() => kernel.of(id).find(({ type }) => type === "stream"), "the begin of the cell");
      await new Promise((resolve) => setTimeout(resolve, 200));
      await interrupt();
      assert.equal((await kernel.answer(id)).reply.content.user_expressions.endless.ename, "KernelInterrupted");
      const { answer } = await interrupted('({ [Symbol.for("Jupyter.display")]: () => new Promise(() => {}) })', interrupt);
      assert.equal(answer.reply.content.ename, "KernelInterrupted");
    });
  }

  it("SIGINT is told once, however late the process that runs the cell comes to it", async () => {
    // The loop sees the flag at once; the event loop sees the signal when the cell waits, long after.
    const code = `await 0;
      try { for (;;) {} } catch { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1700); }
      await new Promise((resolve) => setTimeout(resolve, 50));
      "went on"`;
    const { answer } = await interrupted(code, ways.SIGINT);
    assert.equal(answer.result, "'went on'", answer.reply.content.ename);
  });

  it("SIGINT that the wire process handles late leaves alone the cell that runs by then", async () => {
    const first = await kernel.begin('console.log("begun"); for (const end = Date.now() + 300; Date.now() < end;); 1');
    const second = await kernel.begin("for (const end = Date.now() + 100; Date.now() < end;); 2", {});
    await kernel.until(() => kernel.of(first).find(({ type }) => type === "stream"), "the begin of the cell");
    process.kill(kernel.process.pid!, "SIGSTOP");
    try {
      process.kill(kernel.process.pid!, "SIGINT");
      await new Promise((resolve) => setTimeout(resolve, 500));
    } finally {
      process.kill(kernel.process.pid!, "SIGCONT");
    }
    assert.deepEqual([(await kernel.answer(first)).result, (await kernel.answer(second)).result], ["1", "2"]);
  });

  it("finally runs after an interrupt, in loops and around awaits", async () => {
    const loop = await interrupted(
      'await 0;\ntry { for (;;) {} } finally { console.log("loop ended"); for (let i = 0; i < 3; i++); }',
      ways.interrupt_request,
    );
    assert.equal(loop.answer.stdout, "begun\nloop ended\n");
    const sleep = await interrupted(
      'try { await new Promise(() => setTimeout(() => {}, 60_000)); } finally { console.log("sleep ended"); }',
      ways.SIGINT,
    );
    assert.equal(sleep.answer.stdout, "begun\nsleep ended\n");
  });

  it("control, heartbeat, completion and inspection are answered in a busy loop", async () => {
    const { answer } = await interrupted("for (;;) {}", async () => {
      await kernel.heartbeat();
      assert.equal((await kernel.request("kernel_info_request", {}, "control")).reply.content.status, "ok");
      assert.deepEqual((await kernel.request("complete_request", { code: "kep", cursor_pos: 3 })).reply.content.matches, ["kept"]);
      assert.equal((await kernel.request("inspect_request", { code: "kept", cursor_pos: 4, detail_level: 0 })).reply.content.found, true);
      await ways.interrupt_request();
    });
    assert.equal(answer.reply.content.ename, "KernelInterrupted");
  });

  it("code that listens for SIGINT is asked to stop, and loses nothing", async () => {
    const code = `const stopped = await new Promise<string>((resolve) => {
      const timer = setInterval(() => {}, 1000);
      process.once("SIGINT", () => setTimeout(() => { clearInterval(timer); resolve("saved"); }, 50));
    });\nstopped`;
    const { answer } = await interrupted(code, ways.interrupt_request);
    assert.deepEqual([answer.reply.content.status, answer.result], ["ok", "'saved'"]);
    assert.match(answer.stderr, /^Stopping after this step/);
  });

  it("code that listens for SIGINT, but is in a long step, gets no warning", async () => {
    const code = `let heard = false;
      process.once("SIGINT", () => (heard = true));
      await 0;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600);
      await new Promise((resolve) => setTimeout(resolve, 20));
      heard`;
    const { answer } = await interrupted(code, ways.interrupt_request);
    assert.deepEqual([answer.reply.content.status, answer.result], ["ok", "true"]);
    assert.equal(answer.stderr, "Stopping after this step. Interrupt again to stop at once.\n");
  });

  it("a check of types that goes on and on can be interrupted, and the next cell knows the names", async () => {
    const letters = [..."abcdefghij"].map((letter) => `"${letter}"`).join(" | ");
    const id =
      await kernel.begin(`type Orders<T extends string, U = T> = [T] extends [never] ? [] : U extends T ? [U, ...Orders<Exclude<T, U>>] : never;
      const order: Orders<${letters}> = 1;
      const more: { [K in Orders<${letters}>[0]]: Orders<${letters}> } = 1;`);
    await new Promise((resolve) => setTimeout(resolve, 700));
    assert.equal(
      kernel.of(id).find(({ type }) => type === "error"),
      undefined,
    );
    await ways.interrupt_request();
    assert.equal((await kernel.answer(id)).reply.content.ename, "KernelInterrupted");
    assert.equal((await kernel.execute("kept + 1")).result, "2");
    assert.equal((await kernel.execute('kept = "text"')).reply.content.ename, "TS2322");
  });

  for (const [way, interrupt] of Object.entries(ways))
    for (const [what, code] of Object.entries(DEAF)) {
      // The signal of a group ends the sleep itself.
      if (way === "SIGINT" && what === "execSync") continue;
      it(`a first ${way} warns about ${what}, a second one ends it`, () =>
        assertFast({ warning: WARN_MS, renewal: RENEW_MS }, async () => {
          let warning = 0;
          let second = 0;
          const { answer } = await interrupted(code, async (id) => {
            const began = performance.now();
            await interrupt();
            await kernel.until(() => kernel.of(id).find(({ content }) => /can't be interrupted/.test(content.text ?? "")), "the warning");
            warning = performance.now() - began;
            second = performance.now();
            await interrupt();
          });
          assert.equal(answer.reply.content.ename, "KernelInterruptedStateLost");
          assert.equal((await kernel.execute("1 + 1")).result, "2");
          const renewal = performance.now() - second;
          assert.equal((await kernel.execute("kept")).reply.content.ename, "TS2304");
          return { warning, renewal };
        }));
    }

  it("a second interrupt also ends what the cell has started", async () => {
    await interrupted('import { execSync } from "node:child_process";\nexecSync("sleep 61.25");', async (id) => {
      await ways.interrupt_request();
      await kernel.until(() => kernel.of(id).find(({ content }) => /can't be interrupted/.test(content.text ?? "")), "the warning");
      await ways.interrupt_request();
    });
    assert.equal(spawnSync("pgrep", ["-f", "^sleep 61.25$"], { encoding: "utf8" }).stdout, "");
  });

  it("SIGINT to the group ends a command that a cell waits for, and keeps the state", async () => {
    await kernel.execute("const again = 3;");
    const { answer } = await interrupted(DEAF.execSync, ways.SIGINT);
    assert.equal(answer.reply.content.status, "error");
    assert.equal((await kernel.execute("again")).result, "3");
  });
});
