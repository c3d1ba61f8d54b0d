/**
 * @file What the kernel costs: `node --require tsx/cjs bench/kernel/kernel.ts [RUNS]`. One line of JSON: medians over the runs, in
 * milliseconds and megabytes. All with the type check on, over real sockets.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { TestKernel } from "../../test/kernel/client";

type Figures = Record<string, number>;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}

/** Proportional set size of a process and all below it, in megabytes; NaN where /proc has none. */
function treeMemory(pid: number): number {
  try {
    const pss = Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))![1]) / 1024;
    let children = "";
    try {
      children = execFileSync("pgrep", ["-P", String(pid)], { encoding: "utf8" });
    } catch {
      // None.
    }
    return children
      .split("\n")
      .filter(Boolean)
      .reduce((sum, child) => sum + treeMemory(Number(child)), pss);
  } catch {
    return Number.NaN;
  }
}

async function measure(): Promise<Figures> {
  const began = performance.now();
  const starting = TestKernel.start();
  const kernel = await starting;
  try {
    const first = kernel.execute("1 + 1");
    await kernel.request("kernel_info_request", {}, "control");
    const idle = performance.now() - began;
    await first;
    const result = performance.now() - began;
    const memory = treeMemory(kernel.process.pid!);
    const cells: number[] = [];
    for (let n = 0; n < 100; n++) cells.push(await timed(() => kernel.execute(`${n} + 1`)));
    const flood = await timed(() => kernel.execute('for (let i = 0; i < 102_400; i++) console.log("x".repeat(101));'));
    const busy = await kernel.begin('console.log("busy"); for (;;) {}');
    await kernel.until(() => kernel.of(busy).find(({ type }) => type === "stream"), "busy");
    const heartbeat = await timed(() => kernel.heartbeat());
    const control = await timed(() => kernel.request("kernel_info_request", {}, "control"));
    const completion = await timed(() => kernel.request("complete_request", { code: "JSON.p", cursor_pos: 6 }));
    const inspection = await timed(() => kernel.request("inspect_request", { code: "JSON", cursor_pos: 4, detail_level: 0 }));
    const interrupt = await timed(async () => {
      await kernel.send("interrupt_request", {}, "control");
      await kernel.answer(busy);
    });
    return { idle, result, cell: median(cells), flood, heartbeat, control, completion, inspection, interrupt, memory };
  } finally {
    await kernel.stop();
  }
}

async function main(runs: number): Promise<void> {
  const all: Figures[] = [];
  for (let run = 0; run < runs; run++) all.push(await measure());
  const names = Object.keys(all[0]!);
  console.log(
    JSON.stringify(Object.fromEntries(names.map((name) => [name, Number(median(all.map((figures) => figures[name]!)).toFixed(1))]))),
  );
}

void main(Number(process.argv[2] ?? 5));
