/**
 * @file The guard thread of the child: it hears an interrupt while the main thread is busy, and ends the process when the wire is gone.
 */
import { Socket } from "node:net";
import { workerData, parentPort } from "node:worker_threads";
import { SHARED } from "./sharedState";
import { endDescendants } from "../link/descendants";
import { JsonLines } from "../link/lines";
import { CHILD_PIPES } from "../link/messages";

/** A flag that no loop of the cell has seen after this time ends any other loop, and SIGINT ends the synchronous part of a cell wherever it is. */
const SIGNAL_AFTER_MS = 40;

const state = new Int32Array(workerData as SharedArrayBuffer);
const pipe = new Socket({ fd: CHILD_PIPES.guard, readable: true, writable: false });

const cells = new JsonLines<number>((cell) => {
  const running = Atomics.load(state, SHARED.running);
  if ((running !== 0 && running !== cell) || (running === 0 && cell !== 0 && cell <= Atomics.load(state, SHARED.ended))) return;
  const count = Atomics.add(state, SHARED.count, 1) + 1;
  // Nothing runs: what keeps the main thread busy, if anything, is a callback of an earlier cell.
  Atomics.store(state, SHARED.flag, running === 0 ? -(cell || Atomics.load(state, SHARED.ended)) : cell);
  parentPort!.postMessage({ cell, count });
  // On Windows, process.kill would end the process.
  if (running !== 0 && process.platform !== "win32") setTimeout(() => signal(cell), SIGNAL_AFTER_MS);
});

/** Ends the synchronous part of a cell that has not seen its flag. The main thread begins no other cell meanwhile. */
function signal(cell: number): void {
  Atomics.store(state, SHARED.signalling, 1);
  const isDeaf = Atomics.load(state, SHARED.running) === cell && Atomics.compareExchange(state, SHARED.flag, cell, -cell) === cell;
  if (isDeaf) process.kill(process.pid, "SIGINT");
  Atomics.store(state, SHARED.signalling, 0);
  Atomics.notify(state, SHARED.signalling);
}

pipe.on("data", (chunk: Buffer) => cells.push(chunk));
const end = (): void => {
  endDescendants(process.pid);
  process.kill(process.pid, "SIGKILL");
};
pipe.on("end", end);
pipe.on("error", end);
