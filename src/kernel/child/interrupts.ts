import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { type CellRun, KernelInterrupted, ownCell, runningCell } from "./cells";
import { send } from "./channel";
import type { InterruptWay } from "../link/messages";

/** Number of the cell whose interrupt waits for the main thread, else 0; shared with the guard thread, looked at by each loop of a cell. */
export const flag: Int32Array = new Int32Array(new SharedArrayBuffer(4));

/** The second telling of an interrupt comes within this time. */
const SAME_INTERRUPT_MS = 150;

/** Cells whose code was asked to stop by itself. */
const asked = new WeakSet<CellRun>();

let last: { way: InterruptWay; at: number; run: CellRun | undefined } = { way: "message", at: -Infinity, run: undefined };

/** Called by a loop that sees the flag. @throws {KernelInterrupted} if the loop belongs to the running cell. */
export function stop(): void {
  const cell = Atomics.exchange(flag, 0, 0);
  const run = runningCell();
  if (cell !== run?.cell || ownCell() !== run || !isNew("message")) return;
  send({ type: "interrupted", way: "message", asked: false });
  throw new KernelInterrupted();
}

/** Says that an interrupt has been seen although no handler ran: `vm` has ended the synchronous part of a cell. */
export function noteTermination(): void {
  Atomics.store(flag, 0, 0);
  isNew("signal");
  send({ type: "interrupted", way: "signal", asked: false });
}

/** Starts the guard thread and listens for interrupts that reach the event loop. */
export function listenForInterrupts(): void {
  const guard = new Worker(join(__dirname, "guard.js"), { workerData: flag.buffer, stdin: false });
  guard.unref();
  guard.on("message", (cell: number) => cell === runningCell()?.cell && onInterrupt("message"));
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

const onSignal = (): void => onInterrupt("signal");

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
  Atomics.store(flag, 0, 0);
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
