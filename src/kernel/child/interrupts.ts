import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { type CellRun, KernelInterrupted, ownCell, runningCell } from "./cells";
import { send } from "./channel";
import { ANY_LOOP, SHARED } from "./sharedState";
import type { InterruptWay } from "../link/messages";

/** Shared with the guard thread; its first number is the flag that each loop of a cell looks at. */
export const flag: Int32Array = new Int32Array(new SharedArrayBuffer(4 * Object.keys(SHARED).length));

/** The second telling of an interrupt comes within this time. */
const SAME_INTERRUPT_MS = 1500;

/** On a busy machine a signal may come so long after the message. */
const SIGNAL_DUE_MS = 300;

/** Cells whose code was asked to stop by itself. */
const asked = new WeakSet<CellRun>();

/** Number of the guard's last interrupt that a loop, or the end of a synchronous part, has dealt with. */
let seen = 0;

let last: { way: InterruptWay; at: number; run: CellRun | undefined } = { way: "message", at: -Infinity, run: undefined };

/** Tells the guard thread which cell runs; an interrupt of another one is forgotten. */
export function shareRunning(cell: number): void {
  const former = Atomics.load(flag, SHARED.running);
  if (former > 0) Atomics.store(flag, SHARED.ended, former);
  Atomics.store(flag, SHARED.flag, 0);
  Atomics.store(flag, SHARED.running, cell);
}

/**
 * Called by a loop or an await that sees the flag.
 * @throws {KernelInterrupted} if it belongs to the running cell, or is a late loop that has kept the running cell waiting.
 */
export function stop(): void {
  const meant = Atomics.load(flag, SHARED.flag);
  const run = runningCell();
  const own = run !== undefined && ownCell() === run;
  if (meant !== ANY_LOOP) {
    if (meant !== run?.cell) return void Atomics.store(flag, SHARED.flag, 0);
    // A short loop of another cell; the running one is awaiting something and hears of it from the event loop.
    if (!own) return;
  }
  Atomics.store(flag, SHARED.flag, 0);
  // A late loop has seen it, which is not what was meant: the running cell still hears of it.
  if (own) seen = Atomics.load(flag, SHARED.count);
  const again = !isNew("message");
  if (own && asksToStop(run, "message")) return;
  send({ type: "interrupted", way: "message", asked: false });
  if (meant === ANY_LOOP || !again) throw new KernelInterrupted();
}

/** Whoever listens for SIGINT beside the kernel (damlab's own long cells do) is asked once to stop by itself, and keeps what it has. */
function asksToStop(run: CellRun, way: InterruptWay): boolean {
  if (process.listenerCount("SIGINT") < 2 || asked.has(run)) return false;
  asked.add(run);
  send({ type: "interrupted", way, asked: true });
  // Not `process.emit`: the kernel's own listener would take it for the signal, and that signal, when it comes, for another interrupt.
  if (way === "message") for (const listener of process.rawListeners("SIGINT")) if (listener !== onSignal) listener.call(process, "SIGINT");
  return true;
}

/** Says that an interrupt has been seen although no handler ran: `vm` has ended the synchronous part of a cell. */
export function noteTermination(): void {
  Atomics.store(flag, SHARED.flag, 0);
  Atomics.store(flag, SHARED.signalled, 0);
  seen = Atomics.load(flag, SHARED.count);
  isNew("signal");
  send({ type: "interrupted", way: "signal", asked: false });
}

/** Starts the guard thread and listens for interrupts that reach the event loop. */
export function listenForInterrupts(): void {
  const guard = new Worker(join(__dirname, "guard.js"), { workerData: flag.buffer, stdin: false });
  guard.unref();
  guard.on("message", ({ cell, count }: { cell: number; count: number }) => {
    if (count <= seen) return;
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
  // The guard's signal is for code that never comes here; its message comes here, too.
  if (Atomics.exchange(flag, SHARED.signalled, 0) === 0) onInterrupt("signal");
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
  if (run === undefined) return;
  // The wire waits for a sign of life each time.
  if (!isNew(way)) return send({ type: "interrupted", way: "message", asked: false });
  if (asksToStop(run, way)) return;
  send({ type: "interrupted", way, asked: false });
  run.interrupt();
}

/** Whether the signal of an interrupt that a message told of may still be on its way: it must not end what runs now. */
export function signalIsDue(): boolean {
  return last.way === "message" && performance.now() - last.at < SIGNAL_DUE_MS;
}

/** False for the second telling of an interrupt. A message names its cell; a signal may come when the next one runs already. */
function isNew(way: InterruptWay): boolean {
  const run = runningCell();
  const now = performance.now();
  if (way !== last.way && now - last.at < SAME_INTERRUPT_MS && (way === "signal" || run === last.run)) {
    last = { way, at: -Infinity, run };
    return false;
  }
  last = { way, at: now, run };
  return true;
}
