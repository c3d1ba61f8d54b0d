import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { type CellRun, KernelInterrupted, ownCell, runningCell } from "./cells";
import { send } from "./channel";
import { ANY_LOOP, SHARED } from "./sharedState";
import type { InterruptWay } from "../link/messages";

/** Shared with the guard thread; its first number is the flag that each loop of a cell looks at. */
export const flag: Int32Array = new Int32Array(new SharedArrayBuffer(4 * Object.keys(SHARED).length));

/** The second telling of an interrupt comes within this time. */
const SAME_INTERRUPT_MS = 150;

/** Cells whose code was asked to stop by itself. */
const asked = new WeakSet<CellRun>();

let last: { way: InterruptWay; at: number; run: CellRun | undefined } = { way: "message", at: -Infinity, run: undefined };

/** Tells the guard thread which cell runs; an interrupt of another one is forgotten. */
export function shareRunning(cell: number): void {
  Atomics.store(flag, SHARED.flag, 0);
  Atomics.store(flag, SHARED.running, cell);
}

/**
 * Called by a loop that sees the flag.
 * @throws {KernelInterrupted} if the loop belongs to the running cell, or it is a late one that has kept the running cell waiting.
 */
export function stop(): void {
  const meant = Atomics.load(flag, SHARED.flag);
  const run = runningCell();
  if (meant === ANY_LOOP) {
    Atomics.store(flag, SHARED.flag, 0);
    send({ type: "interrupted", way: "message", asked: false });
    throw new KernelInterrupted();
  }
  if (meant !== run?.cell) return void Atomics.store(flag, SHARED.flag, 0);
  // A short loop of another cell; the running one is awaiting something and hears of it from the event loop.
  if (ownCell() !== run) return;
  Atomics.store(flag, SHARED.flag, 0);
  if (!isNew("message")) return;
  send({ type: "interrupted", way: "message", asked: false });
  throw new KernelInterrupted();
}

/** Says that an interrupt has been seen although no handler ran: `vm` has ended the synchronous part of a cell. */
export function noteTermination(): void {
  Atomics.store(flag, SHARED.flag, 0);
  Atomics.store(flag, SHARED.signalled, 0);
  isNew("signal");
  send({ type: "interrupted", way: "signal", asked: false });
}

/** Starts the guard thread and listens for interrupts that reach the event loop. */
export function listenForInterrupts(): void {
  const guard = new Worker(join(__dirname, "guard.js"), { workerData: flag.buffer, stdin: false });
  guard.unref();
  guard.on("message", (cell: number) => {
    if (cell === runningCell()?.cell) onInterrupt("message");
    else Atomics.compareExchange(flag, SHARED.flag, ANY_LOOP, 0);
  });
  process.on("SIGINT", onSignal);
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

const onSignal = (): void => {
  // The guard's signal for a cell that has ended meanwhile.
  const meant = Atomics.exchange(flag, SHARED.signalled, 0);
  if (meant === 0 || meant === runningCell()?.cell) onInterrupt("signal");
};

/**
 * Listens for SIGINT anew, before all others. After `breakOnSigint`, Node leaves the signal to its default action if code added a listener
 * meanwhile: the next SIGINT would end the process.
 */
export function listenAgain(): void {
  const others = process.rawListeners("SIGINT").filter((listener) => listener !== onSignal);
  process.removeAllListeners("SIGINT");
  process.on("SIGINT", onSignal);
  for (const listener of others) process.on("SIGINT", listener as () => void);
}

function onInterrupt(way: InterruptWay): void {
  Atomics.store(flag, SHARED.flag, 0);
  const run = runningCell();
  if (run === undefined || !isNew(way)) return;
  // Whoever listens for SIGINT beside the kernel (damlab's own long cells do) stops by itself and keeps what it has.
  if (process.listenerCount("SIGINT") > 1 && !asked.has(run)) {
    asked.add(run);
    send({ type: "interrupted", way, asked: true });
    if (way === "message") process.emit("SIGINT", "SIGINT");
    return;
  }
  send({ type: "interrupted", way, asked: false });
  run.interrupt();
}

/** False for the second telling of an interrupt. */
function isNew(way: InterruptWay): boolean {
  const run = runningCell();
  const now = performance.now();
  if (run === last.run && way !== last.way && now - last.at < SAME_INTERRUPT_MS) return false;
  last = { way, at: now, run };
  return true;
}
