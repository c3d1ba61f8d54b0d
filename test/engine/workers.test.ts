import assert from "node:assert/strict";
import path from "node:path";
import { createWorkers, defaultWorkerCount, startEngine } from "../../src/engine";

const ENTRY = path.join(__dirname, "fixtures", "workerEntry.ts");

describe("createWorkers()", () => {
  before(async () => void (await startEngine("wasm")));

  it("createWorkers() runs functions on the owner's engine and hands back results and errors", async () => {
    const workers = await createWorkers(ENTRY, { count: 1 });
    try {
      assert.deepEqual(await workers.run("squareSum", [1, 2, 3]), { engine: "wasm", sum: 14 });
      await assert.rejects(workers.run("fail", "reason"), { name: "RangeError", message: "Cannot work: reason" });
      assert.deepEqual(await workers.run("squareSum", [2]), { engine: "wasm", sum: 4 });
    } finally {
      await workers.close();
    }
  });

  it("createWorkers() stops a running function when its signal is aborted", async () => {
    const workers = await createWorkers(ENTRY, { count: 1 });
    try {
      const controller = new AbortController();
      const running = workers.run("spin", null, controller.signal);
      setTimeout(() => controller.abort(), 200);
      await assert.rejects(running);
      assert.deepEqual(await workers.run("squareSum", [2]), { engine: "wasm", sum: 4 });
    } finally {
      await workers.close();
    }
  });
});

describe("defaultWorkerCount()", () => {
  it("defaultWorkerCount() follows DAMLAB_WORKERS and refuses what is no count", () => {
    const before = process.env["DAMLAB_WORKERS"];
    try {
      process.env["DAMLAB_WORKERS"] = "3";
      assert.equal(defaultWorkerCount(), 3);
      process.env["DAMLAB_WORKERS"] = "many";
      assert.throws(() => defaultWorkerCount(), /^RangeError: Cannot use DAMLAB_WORKERS="many": expected a positive integer$/);
    } finally {
      if (before === undefined) delete process.env["DAMLAB_WORKERS"];
      else process.env["DAMLAB_WORKERS"] = before;
    }
  });
});
