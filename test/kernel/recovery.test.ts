import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import { TestKernel } from "./client";

describe("LanguageThread", () => {
  // The thread's entry file is compiled code; only the built kernel has it.
  let LanguageThread: typeof import("../../src/kernel/language/client").LanguageThread;
  before(() => {
    /* eslint-disable @typescript-eslint/no-require-imports */
    (require("../../src/cli/build.cjs") as { refresh(): void }).refresh();
    ({ LanguageThread } = require("../../dist/kernel/language/client.js") as typeof import("../../src/kernel/language/client"));
    /* eslint-enable @typescript-eslint/no-require-imports */
  });

  it("learns the session again when its thread has died; what it was busy with fails, what waited is answered", async () => {
    const folder = mkdtempSync(join(tmpdir(), "damlab-language-"));
    const language = new LanguageThread(folder);
    try {
      const compiled = await language.compile(1, "In[1]", "let kept = 1;\nclass Point { x = 2 }");
      assert.ok("code" in compiled);
      language.commit(1, ["kept", "Point"]);
      assert.deepEqual((await language.complete("kep", 3)).matches, ["kept"]);
      const busy = language.compile(2, "In[2]", "kept + 1");
      const waiting = language.complete("new Point().", 12);
      await (language as unknown as { worker: Worker }).worker.terminate();
      await assert.rejects(busy, /^Error: The language service has ended/);
      assert.deepEqual((await waiting).matches, ["x"]);
      assert.ok("code" in (await language.compile(3, "In[3]", "kept + new Point().x")));
      assert.equal(((await language.compile(4, "In[4]", "kept = 'text'")) as { ename: string }).ename, "TS2322");
    } finally {
      await language.close();
      rmSync(folder, { recursive: true });
    }
  });
});

describe("a kernel in a busy loop", () => {
  for (const channel of ["shell", "control"] as const)
    it(`shuts down on ${channel}, and no process is left`, async () => {
      const kernel = await TestKernel.start();
      try {
        const id = await kernel.begin("console.log(process.pid); for (;;) {}");
        const line = await kernel.printed(id);
        const ended = new Promise((resolve) => kernel.process.once("exit", resolve));
        const request = await kernel.send("shutdown_request", { restart: false }, channel);
        assert.deepEqual((await kernel.message("shutdown_reply", request)).content, { status: "ok", restart: false });
        assert.equal(await ended, 0);
        // Not even its entry in the table of processes.
        assert.equal(spawnSync("ps", ["-o", "stat=", "-p", line.content.text.trim()], { encoding: "utf8" }).stdout.trim(), "");
      } finally {
        await kernel.stop();
      }
    });
});
