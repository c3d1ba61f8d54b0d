import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { KernelInterrupted, ownCell, runningCell } from "./cells";
import { send } from "./channel";

/** 1 while an interrupt waits for the main thread; shared with the guard thread, looked at by each loop of a cell. */
export const flag = new Int32Array(new SharedArrayBuffer(4));

/** SIGINT and the wire's message about it are one interrupt if they come within this time. */
const SAME_INTERRUPT_MS = 150;

let handledAt = -Infinity;

/** Called by a loop that sees the flag. @throws {KernelInterrupted} */
export function stop(): void {
  Atomics.store(flag, 0, 0);
  const own = ownCell();
  // Only the running cell is interrupted; what older cells left behind goes on.
  if (own !== runningCell()) return;
  handledAt = performance.now();
  send({ type: "interrupted" });
  throw new KernelInterrupted();
}

/** Says that an interrupt has been seen although no handler ran: `vm` has ended the synchronous part of a cell. */
export function noteTermination(): void {
  Atomics.store(flag, 0, 0);
  handledAt = performance.now();
  send({ type: "interrupted" });
}

/** Starts the guard thread and listens for interrupts that reach the event loop. */
export function listenForInterrupts(): void {
  const guard = new Worker(join(__dirname, "guard.js"), { workerData: flag.buffer, stdin: false });
  guard.unref();
  guard.on("message", () => onInterrupt("message"));
  process.on("SIGINT", () => onInterrupt("signal"));
}

function onInterrupt(source: "message" | "signal"): void {
  Atomics.store(flag, 0, 0);
  const run = runningCell();
  if (run === undefined || performance.now() - handledAt < SAME_INTERRUPT_MS) return;
  handledAt = performance.now();
  // Whoever listens for SIGINT beside the kernel (damlab's own long cells do) stops by itself and keeps what it has.
  if (process.listenerCount("SIGINT") > 1) {
    send({ type: "interrupted", note: "Stopping after this step. Interrupt again to stop at once.\n" });
    if (source === "message") process.emit("SIGINT", "SIGINT");
    return;
  }
  send({ type: "interrupted" });
  run.interrupt();
}
