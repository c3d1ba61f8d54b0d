import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { type CellRun, KernelInterrupted, ownCell, runningCell } from "./cells";
import { send } from "./channel";
import { SHARED } from "./sharedState";
import { ignoreSignals } from "./signals";

/** Shared with the guard thread; its first number is the flag that each loop of a cell looks at. */
export const flag: Int32Array = new Int32Array(new SharedArrayBuffer(4 * Object.keys(SHARED).length));

/** Cells whose code was asked to stop by itself. */
const asked = new WeakSet<CellRun>();

/** Number of the guard's last interrupt that a loop, or the end of a synchronous part, has dealt with. */
let seen = 0;

/** Number of the last cell that has begun; their numbers rise. */
let newest = 0;

/** Number of a cell that was interrupted before it has begun. */
let early = 0;

/** Tells the guard thread which cell runs (0: none); an interrupt of another one is forgotten. */
export function shareRunning(cell: number): void {
  const former = Atomics.load(flag, SHARED.running);
  if (former > 0 && former !== cell) Atomics.store(flag, SHARED.ended, former);
  Atomics.store(flag, SHARED.running, cell);
  // A signal that the guard is about to send is meant for the former cell: it must come before this one can be ended by it.
  for (let due = 1; (due = Atomics.load(flag, SHARED.signalling)) !== 0;) Atomics.wait(flag, SHARED.signalling, due, 5);
  Atomics.store(flag, SHARED.flag, 0);
  if (cell === 0) return;
  newest = cell;
  if (early === cell) interruptRunning(runningCell()!);
}

/**
 * Called by a loop or an await that sees the flag.
 * @throws {KernelInterrupted} if it belongs to the running cell, or is a late loop that has kept the running cell waiting.
 */
export function stop(): void {
  const meant = Atomics.load(flag, SHARED.flag);
  const run = runningCell();
  const own = run !== undefined && ownCell() === run;
  if (run?.cell !== Math.abs(meant) && (run !== undefined || meant >= 0)) return void Atomics.compareExchange(flag, SHARED.flag, meant, 0);
  // A short loop of another cell; the running one is awaiting something and hears of it from the event loop.
  if (meant > 0 && !own) return;
  Atomics.compareExchange(flag, SHARED.flag, meant, 0);
  // If a late loop has seen it, which is not what was meant, the running cell still hears of it.
  if (own) seen = Atomics.load(flag, SHARED.count);
  if (own && asksToStop(run)) return;
  send({ type: "interrupted", asked: false });
  throw new KernelInterrupted();
}

/** Whoever listens for SIGINT beside the kernel (damlab's own long cells do) is asked once to stop by itself, and keeps what it has. */
function asksToStop(run: CellRun): boolean {
  if (process.listenerCount("SIGINT") < 2 || asked.has(run)) return false;
  asked.add(run);
  send({ type: "interrupted", asked: true });
  process.emit("SIGINT", "SIGINT");
  return true;
}

/** Says that an interrupt has been seen although no handler ran: `vm` has ended the synchronous part of a cell. */
export function noteTermination(): void {
  Atomics.store(flag, SHARED.flag, 0);
  seen = Atomics.load(flag, SHARED.count);
  send({ type: "interrupted", asked: false });
}

/** Starts the guard thread and listens for interrupts that reach the event loop. */
export function listenForInterrupts(): void {
  const guard = new Worker(join(__dirname, "guard.js"), { workerData: flag.buffer, stdin: false });
  guard.unref();
  guard.on("message", ({ cell, count }: { cell: number; count: number }) => {
    if (count <= seen) return;
    const run = runningCell();
    if (run !== undefined && run.cell === cell) return interruptRunning(run);
    if (cell > newest) early = cell;
    // No loop keeps this thread busy.
    const meant = Atomics.load(flag, SHARED.flag);
    if (meant < 0) Atomics.compareExchange(flag, SHARED.flag, meant, 0);
  });
  ignoreSignals();
  let cooperative = false;
  const tell = (name: string | symbol): void => {
    if (name !== "SIGINT") return;
    // The event of a new listener comes before it is counted.
    queueMicrotask(() => {
      const now = process.listenerCount("SIGINT") > 1;
      if (now !== cooperative) send({ type: "listening", cooperative: (cooperative = now) });
    });
  };
  process.on("newListener", tell);
  process.on("removeListener", tell);
}

function interruptRunning(run: CellRun): void {
  Atomics.store(flag, SHARED.flag, 0);
  seen = Atomics.load(flag, SHARED.count);
  if (asksToStop(run)) return;
  send({ type: "interrupted", asked: false });
  run.interrupt();
}
