import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
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
  "an endless async iteration":
    "for await (const tick of (async function* () { for (;;) yield await new Promise((r) => setImmediate(r)); })()) {}",
};

/** Cells inside code that only the end of the process stops. */
const DEAF = {
  "a loop in a dependency": 'import { spin } from "spinner";\nawait 0;\nspin();',
  execSync: 'import { execSync } from "node:child_process";\nawait 0;\nexecSync("sleep 60");',
  "Atomics.wait": "await 0;\nAtomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);",
};

describe("kernel interrupts", () => {
  let kernel: TestKernel;
  before(async () => {
    kernel = await TestKernel.start();
    const dependency = join(kernel.folder, "node_modules", "spinner");
    mkdirSync(dependency, { recursive: true });
    writeFileSync(join(dependency, "index.js"), "exports.spin = () => { for (;;) {} };");
    writeFileSync(join(dependency, "index.d.ts"), "export function spin(): void;");
    writeFileSync(join(kernel.folder, "spin.ts"), "export function spin(): void { for (;;) {} }");
    await kernel.execute("let kept = 1;");
  });
  after(() => kernel.stop());

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
      it(`${way} ends ${what} and keeps the state`, async () => {
        const { answer, milliseconds } = await interrupted(code, interrupt);
        assert.equal(answer.reply.content.ename, "KernelInterrupted");
        assert.ok(milliseconds < 1000, `${milliseconds} ms`);
        const { result, reply } = await kernel.execute("kept");
        assert.equal(result, "1", JSON.stringify(reply.content));
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

  for (const [what, code] of Object.entries(DEAF))
    it(`a first interrupt warns about ${what}, a second one ends it`, async () => {
      const { answer, milliseconds } = await interrupted(code, async (id) => {
        await ways.interrupt_request();
        await kernel.until(() => kernel.of(id).find(({ content }) => /can't be interrupted/.test(content.text ?? "")), "the warning");
        await ways.interrupt_request();
      });
      assert.equal(answer.reply.content.ename, "KernelInterruptedStateLost");
      assert.ok(milliseconds < 2000, `${milliseconds} ms`);
      assert.equal((await kernel.execute("typeof kept")).reply.content.status, "error");
      assert.equal((await kernel.execute("1 + 1")).result, "2");
    });
});
