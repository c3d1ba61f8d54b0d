import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { assertFast, useInterruptLab, WAYS } from "./interruptLab";

/** Cells that never end, and in which loops and awaits can be stopped. */
const ENDLESS = {
  "a loop": "for (;;) {}",
  "a loop after a microtask": "await 0;\nwhile (true) {}",
  "a loop after a timer": "await new Promise((resolve) => setTimeout(resolve, 5));\ndo {} while (true);",
  "a loop inside a setTimeout callback": "await new Promise(() => setTimeout(() => { for (;;) {} }, 5));",
  "an awaited sleep": "await new Promise((resolve) => setTimeout(resolve, 60_000));",
  "a loop in a local module": 'import { spin } from "./spin";\nspin();',
  "an endless recursion of awaits": "const again = async (): Promise<void> => { await 0; return again(); };\nawait again();",
  "an endless recursion after an await": "await 0;\nconst fib = (n: number): number => (n < 2 ? n : fib(n - 1) + fib(n - 2));\nfib(60);",
  "an endless chain of promises":
    "class Chain { link(): Promise<void> { return Promise.resolve().then(() => this.link()); } }\nawait new Chain().link();",
  "an endless chain of microtasks": "function tick() { queueMicrotask(tick); }\ntick();\nawait new Promise(() => {});",
  "an endless async iteration":
    "for await (const tick of (async function* () { for (;;) yield await new Promise((r) => setImmediate(r)); })()) {}",
};

/** Longest time of an interrupt with its reply. */
const STOP_MS = 100;

describe("kernel interrupts", () => {
  const lab = useInterruptLab();

  for (const way of WAYS)
    for (const [what, code] of Object.entries(ENDLESS))
      it(`${way} ends ${what} at once and keeps the state`, () =>
        assertFast({ interrupt: STOP_MS }, async () => {
          const { answer, milliseconds } = await lab().interrupted(code, lab().interrupt[way]);
          assert.equal(answer.reply.content.ename, "KernelInterrupted");
          const { result, reply } = await lab().kernel.execute("kept");
          assert.equal(result, "1", JSON.stringify(reply.content));
          return { interrupt: milliseconds };
        }));

  for (const way of WAYS) {
    it(`${way} leaves alone the cell that runs next`, async () => {
      let hit = 0;
      for (let time = 0; time < 5; time++) {
        await lab().interrupted("for (;;) {}", lab().interrupt[way]);
        const { reply } = await lab().kernel.execute("for (const end = Date.now() + 60; Date.now() < end;);");
        if (reply.content.status !== "ok") hit++;
      }
      assert.equal(hit, 0);
    });

    it(`${way} reaches the awaits of functions of earlier cells`, async () => {
      const { answer } = await lab().interrupted("await nap();", lab().interrupt[way]);
      assert.deepEqual([answer.reply.content.ename, answer.stdout], ["KernelInterrupted", "begun\nnap over\n"]);
    });

    it(`${way} can be caught; the next one ends the cell`, async () => {
      const sleep = "await new Promise((resolve) => setTimeout(resolve, 60_000))";
      const once = await lab().interrupted(`try { ${sleep}; } catch { console.log("caught"); }\n"went on"`, lab().interrupt[way]);
      assert.deepEqual([once.answer.reply.content.status, once.answer.stdout, once.answer.result], ["ok", "begun\ncaught\n", "'went on'"]);
      const twice = await lab().interrupted(`for (;;) try { ${sleep}; } catch { console.log("caught"); }`, async (id) => {
        await lab().interrupt[way]();
        await lab().kernel.printed(id, /^caught\n$/);
        // Both tellings of the first one must be over.
        await new Promise((resolve) => setTimeout(resolve, 600));
        await lab().interrupt[way]();
      });
      assert.equal(twice.answer.reply.content.ename, "KernelInterrupted");
    });

    it(`${way} ends a loop in a late callback that keeps the next cell waiting`, async () => {
      await lab().kernel.execute("setTimeout(() => { for (;;) {} }, 20); 0");
      await new Promise((resolve) => setTimeout(resolve, 100));
      const id = await lab().kernel.begin("kept + 1");
      await new Promise((resolve) => setTimeout(resolve, 100));
      await lab().interrupt[way]();
      // It runs now, or was not yet compiled when it was interrupted.
      await lab().kernel.answer(id);
      assert.equal((await lab().kernel.execute("kept + 1")).result, "2");
    });

    it(`${way} ends user_expressions and values that show themselves for ever`, async () => {
      const id = await lab().kernel.begin('console.log("begun")', { user_expressions: { endless: "(() => { for (;;) {} })()" } });
      await lab().kernel.printed(id);
      await new Promise((resolve) => setTimeout(resolve, 200));
      await lab().interrupt[way]();
      assert.equal((await lab().kernel.answer(id)).reply.content.user_expressions.endless.ename, "KernelInterrupted");
      const { answer } = await lab().interrupted(
        '({ [Symbol.for("Jupyter.display")]: () => new Promise(() => {}) })',
        lab().interrupt[way],
      );
      assert.equal(answer.reply.content.ename, "KernelInterrupted");
    });
  }

  it("SIGINT is told once, however late the process that runs the cell comes to it", async () => {
    // The loop sees the flag at once; the event loop sees the signal when the cell waits, long after.
    const code = `await 0;
      try { for (;;) {} } catch { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1700); }
      await new Promise((resolve) => setTimeout(resolve, 50));
      "went on"`;
    const { answer } = await lab().interrupted(code, lab().interrupt.SIGINT);
    assert.equal(answer.result, "'went on'", answer.reply.content.ename);
  });

  it("SIGINT that the wire process handles late leaves alone the cell that runs by then", async () => {
    const { kernel } = lab();
    const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
    const first = await kernel.begin('import { existsSync } from "node:fs"; console.log("begun"); while (!existsSync("told")); 1');
    const second = await kernel.begin("for (const end = Date.now() + 100; Date.now() < end;); 2");
    await kernel.printed(first);
    process.kill(kernel.process.pid!, "SIGSTOP");
    try {
      await wait(100);
      process.kill(kernel.process.pid!, "SIGINT");
      writeFileSync(join(kernel.folder, "told"), "");
      await wait(300);
    } finally {
      process.kill(kernel.process.pid!, "SIGCONT");
    }
    assert.deepEqual([(await kernel.answer(first)).result, (await kernel.answer(second)).result], ["1", "2"]);
  });

  it("finally runs after an interrupt, in loops and around awaits", async () => {
    const loop = await lab().interrupted(
      'await 0;\ntry { for (;;) {} } finally { console.log("loop ended"); for (let i = 0; i < 3; i++); }',
      lab().interrupt.interrupt_request,
    );
    assert.equal(loop.answer.stdout, "begun\nloop ended\n");
    const sleep = await lab().interrupted(
      'try { await new Promise(() => setTimeout(() => {}, 60_000)); } finally { console.log("sleep ended"); }',
      lab().interrupt.SIGINT,
    );
    assert.equal(sleep.answer.stdout, "begun\nsleep ended\n");
    const callback = await lab().interrupted(
      'try { await new Promise(() => setTimeout(() => { for (;;) {} }, 5)); } finally { console.log("callback ended"); }',
      lab().interrupt.interrupt_request,
    );
    assert.equal(callback.answer.stdout, "begun\ncallback ended\n");
  });

  it("an interval whose callback was interrupted does not keep later cells waiting", async () => {
    const { answer } = await lab().interrupted(
      "setInterval(() => { for (;;) {} }, 5);\nawait new Promise(() => {});",
      lab().interrupt.SIGINT,
    );
    assert.equal(answer.reply.content.ename, "KernelInterrupted");
    assert.equal((await lab().kernel.execute("kept")).result, "1");
  });

  it("control, heartbeat, completion and inspection are answered in a busy loop", async () => {
    const { answer } = await lab().interrupted("for (;;) {}", async () => {
      await lab().kernel.heartbeat();
      assert.equal((await lab().kernel.request("kernel_info_request", {}, "control")).reply.content.status, "ok");
      assert.deepEqual((await lab().kernel.request("complete_request", { code: "kep", cursor_pos: 3 })).reply.content.matches, ["kept"]);
      assert.equal(
        (await lab().kernel.request("inspect_request", { code: "kept", cursor_pos: 4, detail_level: 0 })).reply.content.found,
        true,
      );
      await lab().interrupt.interrupt_request();
    });
    assert.equal(answer.reply.content.ename, "KernelInterrupted");
  });

  it("a check of types that goes on and on can be interrupted, and the next cell knows the names", async () => {
    const letters = [..."abcdefghij"].map((letter) => `"${letter}"`).join(" | ");
    const id = await lab().kernel
      .begin(`type Orders<T extends string, U = T> = [T] extends [never] ? [] : U extends T ? [U, ...Orders<Exclude<T, U>>] : never;
      const order: Orders<${letters}> = 1;
      const more: { [K in Orders<${letters}>[0]]: Orders<${letters}> } = 1;`);
    await new Promise((resolve) => setTimeout(resolve, 700));
    assert.equal(
      lab()
        .kernel.of(id)
        .find(({ type }) => type === "error"),
      undefined,
    );
    await lab().interrupt.interrupt_request();
    assert.equal((await lab().kernel.answer(id)).reply.content.ename, "KernelInterrupted");
    assert.equal((await lab().kernel.execute("kept + 1")).result, "2");
    assert.equal((await lab().kernel.execute('kept = "text"')).reply.content.ename, "TS2322");
  });
});
