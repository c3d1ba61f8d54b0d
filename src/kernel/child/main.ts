/** @file The process that runs user code. It is started by `childHost.ts`, which holds the other ends of its pipes. */
import { Socket } from "node:net";
import { KernelInterrupted, ownCell, runningCell } from "./cells";
import { send } from "./channel";
import { CommRegistry } from "./comms";
import { errorReport, mapStackTraces } from "./errors";
import { CellRunner, interruptibleCalls } from "./execute";
import { hideHooks } from "./format";
import { installGlobals } from "./globals";
import { answerInput } from "./input";
import { flag, listenForInterrupts } from "./interrupts";
import { endInterruptedIntervals } from "./intervals";
import { ModuleLoader } from "./modules";
import { captureStreams } from "./output";
import { forgetSignals } from "./signals";
import { JsonLines } from "../link/lines";
import { CHILD_PIPES, type Request } from "../link/messages";

const marker = `\0${process.env.DAMLAB_KERNEL_MARKER}:`;
delete process.env.DAMLAB_KERNEL_MARKER;

captureStreams();
hideHooks();
mapStackTraces();
listenForInterrupts();
endInterruptedIntervals();
const comms = new CommRegistry();
installGlobals(comms);
const loader = new ModuleLoader(process.cwd(), { flag, cell: interruptibleCalls(ownCell) });
const runner = new CellRunner(loader, marker);

/** Errors that were told once; a listener of a library may throw a rejection's error again. */
const reported = new WeakSet<Error>();

/** An error that no code has caught ends the cell that it belongs to; if that cell is over, it is printed there. */
function onUncaught(error: unknown): void {
  const own = ownCell();
  // A loop in a callback was interrupted: what the cell itself awaits ends, too, as its code decides.
  if (own !== undefined && own === runningCell()) return error instanceof KernelInterrupted ? own.interrupt() : own.fail(error);
  if (error instanceof Error) {
    if (reported.has(error)) return;
    reported.add(error);
  }
  process.stderr.write(`Uncaught ${errorReport(error).traceback.join("\n")}\n`);
}
// Not the event: listeners of libraries (Emscripten adds one) would throw the error again and end the process.
process.setUncaughtExceptionCaptureCallback(onUncaught);
process.on("unhandledRejection", onUncaught);

const lines = new JsonLines<Request>((request) => {
  switch (request.type) {
    case "execute":
      return void runner.execute(request);
    case "evaluate":
      return void runner.evaluate(request.cell, request.expressions);
    case "forget_signals":
      return forgetSignals(flag);
    case "input_reply":
      return answerInput(request.id, request.value);
    case "comm":
      return comms.receive(request);
  }
});
const requests = new Socket({ fd: CHILD_PIPES.requests, readable: true, writable: false });
requests.on("data", (chunk: Buffer) => lines.push(chunk));
send({ type: "ready" });
