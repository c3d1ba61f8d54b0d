/** @file The language thread of the wire process: answers one call after the other. */
import { setFlagsFromString } from "node:v8";
import { parentPort, workerData } from "node:worker_threads";
import type { LanguageAnswer, LanguageCall } from "./client";
import { GarbageCollector } from "./garbage";
import { loadTypescript } from "./loadTypescript";

// Optimising the largest functions of TypeScript makes no cell faster, but takes 70 MB that the allocator keeps.
setFlagsFromString("--max-optimized-bytecode-size=3000");

const keepCompiled = loadTypescript();

// The service must come after TypeScript, which the line above has loaded from its code cache.
// eslint-disable-next-line @typescript-eslint/no-require-imports
const { LanguageSession } = require("./session") as typeof import("./session");
/** Nobody has asked for anything in this time. */
const PAUSE_MS = 300;

const garbage = new GarbageCollector();
const session = new LanguageSession((workerData as { cwd: string }).cwd);

let lastCall = performance.now();

parentPort!.on("message", ({ id, method, arguments: parameters }: LanguageCall) => {
  const answer = (reply: Omit<LanguageAnswer, "id">): void => parentPort!.postMessage({ id, ...reply });
  if (method === "commit") garbage.noteCell();
  try {
    answer({ value: (session[method] as (...all: readonly unknown[]) => unknown)(...parameters) });
  } catch (error) {
    answer({ error: (error as Error).stack ?? String(error) });
  }
  lastCall = performance.now();
});

/** In the first pause, what a person asks for first is asked for here: it is quick then, and the compiled code of it is kept, too. */
function prepare(): void {
  if (performance.now() - lastCall < PAUSE_MS) return void setTimeout(prepare, PAUSE_MS).unref();
  for (const code of ["JSON.p", "con"]) session.complete(code, code.length);
  session.inspect("JSON.parse", 10, 0);
  keepCompiled();
}
setTimeout(prepare, 2 * PAUSE_MS).unref();
