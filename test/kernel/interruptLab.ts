import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import { type Answer, TestKernel } from "./client";

/** A machine that is busy with other things may be late now and then, but not three times in a row. */
const ATTEMPTS = 3;

/** How a client interrupts. */
export type InterruptWay = "interrupt_request" | "SIGINT";

/** A kernel whose cells are interrupted. */
export interface InterruptLab {
  readonly kernel: TestKernel;
  readonly interrupt: Readonly<Record<InterruptWay, () => Promise<unknown> | void>>;
  /** Runs a cell until it has begun, interrupts it, and waits for its reply. */
  interrupted(code: string, interrupt: (id: string) => Promise<unknown> | void): Promise<{ answer: Answer; milliseconds: number }>;
}

export const WAYS: readonly InterruptWay[] = ["interrupt_request", "SIGINT"];

/**
 * Starts a kernel for the tests of a `describe`, with `kept` = 1 and `nap()` in each; returns a way to it, since it is there only once the
 * tests run.
 */
export function useInterruptLab(): () => InterruptLab {
  let kernel: TestKernel;
  const interrupt = {
    interrupt_request: () => kernel.send("interrupt_request", {}, "control"),
    SIGINT: () => kernel.signalGroup("SIGINT"),
  };

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
    // Whatever a failed test has left running must not keep the next one waiting; the answer tells that no later cell will be hit.
    for (let count = 0; count < 10 && !(await isFree(kernel)); count++) await kernel.request("interrupt_request", {}, "control");
  });
  after(() => kernel.stop());

  return () => ({ kernel, interrupt, interrupted: (code, act) => interruptCell(kernel, code, act) });
}

async function isFree(kernel: TestKernel): Promise<boolean> {
  const id = await kernel.begin("1");
  const free = kernel.answer(id).then(
    () => true,
    () => false,
  );
  return Promise.race([free, new Promise<boolean>((resolve) => setTimeout(resolve, 1000, false))]);
}

async function interruptCell(
  kernel: TestKernel,
  code: string,
  interrupt: (id: string) => Promise<unknown> | void,
): Promise<{ answer: Answer; milliseconds: number }> {
  const id = await kernel.begin(`console.log("begun");\n${code}`);
  await kernel.printed(id);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const began = performance.now();
  await interrupt(id);
  const answer = await kernel.answer(id);
  return { answer, milliseconds: performance.now() - began };
}

/** Repeats a measurement until it is fast enough; `measure` returns milliseconds by name. */
export async function assertFast(limits: Readonly<Record<string, number>>, measure: () => Promise<Readonly<Record<string, number>>>) {
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
