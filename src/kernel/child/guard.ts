/**
 * @file The guard thread of the child: it hears an interrupt while the main thread is busy, and ends the process when the wire is gone.
 */
import { Socket } from "node:net";
import { workerData, parentPort } from "node:worker_threads";
import { JsonLines } from "../link/lines";
import { CHILD_PIPES } from "../link/messages";

/** A flag that nobody has seen after this time is followed by SIGINT, which ends the synchronous part of a cell wherever it is. */
const SIGNAL_AFTER_MS = 40;

const flag = new Int32Array(workerData as SharedArrayBuffer);
const pipe = new Socket({ fd: CHILD_PIPES.guard, readable: true, writable: false });

const cells = new JsonLines<number>((cell) => {
  Atomics.store(flag, 0, cell);
  parentPort!.postMessage(cell);
  setTimeout(() => {
    if (Atomics.load(flag, 0) === cell) process.kill(process.pid, "SIGINT");
  }, SIGNAL_AFTER_MS);
});
pipe.on("data", (chunk: Buffer) => cells.push(chunk));
const end = (): void => void process.kill(process.pid, "SIGKILL");
pipe.on("end", end);
pipe.on("error", end);
