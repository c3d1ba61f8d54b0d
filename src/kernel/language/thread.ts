/** @file The language thread of the wire process: answers one call after the other. */
import { parentPort, workerData } from "node:worker_threads";
import type { LanguageAnswer, LanguageCall } from "./client";
import { GarbageCollector } from "./garbage";
import { loadTypescript } from "./loadTypescript";

const keepCompiled = loadTypescript();

// The service must come after TypeScript, which the line above has loaded from its code cache.
// eslint-disable-next-line @typescript-eslint/no-require-imports
const { LanguageSession } = require("./session") as typeof import("./session");
const garbage = new GarbageCollector();
const session = new LanguageSession((workerData as { cwd: string }).cwd);

parentPort!.on("message", ({ id, method, arguments: parameters }: LanguageCall) => {
  const answer = (reply: Omit<LanguageAnswer, "id">): void => parentPort!.postMessage({ id, ...reply });
  if (method === "commit") garbage.noteCell();
  try {
    answer({ value: (session[method] as (...all: readonly unknown[]) => unknown)(...parameters) });
  } catch (error) {
    answer({ error: (error as Error).stack ?? String(error) });
  }
});

setTimeout(keepCompiled, 3000).unref();
