import { isMainThread } from "node:worker_threads";
import type { ProgressSink } from "../display/progress";
import { defaultProgress } from "./notebook";
import { ResultCache } from "./resultCache";

/** How cells run. */
export interface CellSettings {
  /** Where results are kept; null keeps none. */
  readonly cache: ResultCache | null;
  /** Where progress is shown. */
  readonly progress: ProgressSink;
  /** Aborts running cells; undefined: Ctrl-C (SIGINT) does. */
  readonly signal: AbortSignal | undefined;
}

let configured: Partial<CellSettings> = {};

/** Changes how all cells of this process run, until it is called again; what is left out stays as it was. */
export function configureCells(settings: Partial<CellSettings>): void {
  configured = { ...configured, ...settings };
}

/** The settings of one run: its own, else the configured ones, else the defaults. */
export function cellSettings(own: Partial<CellSettings>): CellSettings {
  const { cache = new ResultCache(), progress = defaultProgress(), signal } = { ...configured, ...own };
  return { cache, progress, signal };
}

let interruptible = 0;
let controller = new AbortController();

const onInterrupt = (): void => {
  // One Ctrl-C stops the cells; a second one finds no listener and ends the process.
  process.removeListener("SIGINT", onInterrupt);
  controller.abort(new DOMException("Interrupted", "AbortError"));
};

/** Runs a body with a signal that the next Ctrl-C aborts. */
export async function withInterrupts<T>(body: (signal: AbortSignal) => Promise<T>): Promise<T> {
  if (interruptible++ === 0) {
    controller = new AbortController();
    if (isMainThread) process.on("SIGINT", onInterrupt);
  }
  try {
    return await body(controller.signal);
  } finally {
    if (--interruptible === 0) process.removeListener("SIGINT", onInterrupt);
  }
}
