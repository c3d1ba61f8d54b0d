import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { assertFast, useInterruptLab, WAYS } from "./interruptLab";

/** Cells inside code that only the end of the process stops. */
const DEAF = {
  "a loop in a dependency": 'import { spin } from "spinner";\nspin();',
  execSync: 'import { execSync } from "node:child_process";\nexecSync("sleep 60");',
  "Atomics.wait": "await 0;\nAtomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);",
};

/** Longest time until the line that says that it can't be interrupted; until a new process with its first result. */
const WARN_MS = 500;
const RENEW_MS = 1000;

describe("kernel interrupts of code that ends itself, or that only the end of the process stops", () => {
  const lab = useInterruptLab();

  it("code that listens for SIGINT is asked to stop, and loses nothing", async () => {
    const code = `const stopped = await new Promise<string>((resolve) => {
      const timer = setInterval(() => {}, 1000);
      process.once("SIGINT", () => setTimeout(() => { clearInterval(timer); resolve("saved"); }, 50));
    });\nstopped`;
    const { answer } = await lab().interrupted(code, lab().interrupt.interrupt_request);
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
    const { answer } = await lab().interrupted(code, lab().interrupt.interrupt_request);
    assert.deepEqual([answer.reply.content.status, answer.result], ["ok", "true"]);
    assert.equal(answer.stderr, "Stopping after this step. Interrupt again to stop at once.\n");
  });

  for (const way of WAYS)
    for (const [what, code] of Object.entries(DEAF)) {
      // The signal of a group ends the sleep itself.
      if (way === "SIGINT" && what === "execSync") continue;
      it(`a first ${way} warns about ${what}, a second one ends it`, () =>
        assertFast({ warning: WARN_MS, renewal: RENEW_MS }, async () => {
          let warning = 0;
          let second = 0;
          const { answer } = await lab().interrupted(code, async (id) => {
            const began = performance.now();
            await lab().interrupt[way]();
            await lab().kernel.printed(id, /can't be interrupted/);
            warning = performance.now() - began;
            second = performance.now();
            await lab().interrupt[way]();
          });
          assert.equal(answer.reply.content.ename, "KernelInterruptedStateLost");
          assert.equal((await lab().kernel.execute("1 + 1")).result, "2");
          const renewal = performance.now() - second;
          assert.equal((await lab().kernel.execute("kept")).reply.content.ename, "TS2304");
          return { warning, renewal };
        }));
    }

  it("a second interrupt also ends what the cell has started", async () => {
    await lab().interrupted('import { execSync } from "node:child_process";\nexecSync("sleep 61.25");', async (id) => {
      await lab().interrupt.interrupt_request();
      await lab().kernel.printed(id, /can't be interrupted/);
      await lab().interrupt.interrupt_request();
    });
    assert.equal(spawnSync("pgrep", ["-f", "^sleep 61.25$"], { encoding: "utf8" }).stdout, "");
  });

  it("SIGINT to the group ends a command that a cell waits for, and keeps the state", async () => {
    await lab().kernel.execute("const again = 3;");
    const { answer } = await lab().interrupted(DEAF.execSync, lab().interrupt.SIGINT);
    assert.equal(answer.reply.content.status, "error");
    assert.equal((await lab().kernel.execute("again")).result, "3");
  });
});
