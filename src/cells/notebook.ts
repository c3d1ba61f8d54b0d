/** @file Where values are shown: in a stock tslab kernel through tslab's own display, in other kernels by the open protocol, else as text. */
import * as path from "node:path";
import { displaySymbol, isDisplayable, type MimeBundle } from "../display/mime";
import { notebookProgress, terminalProgress, type NotebookShow, type ProgressSink } from "../display/progress";

/** The part of tslab that is used here. */
interface Tslab {
  /** Sends one output. (What tslab's public display takes has one type only, and it is loaded only where a cell imports it.) */
  write(message: { data: Readonly<Record<string, unknown>>; metadata: object; transient: object }, update: boolean): void;
}

/**
 * Milliseconds between two updates of a progress bar in stock tslab: about every 512th message leaves its socket late, and a message right
 * behind that one ends the kernel ("Socket is busy writing"). Few messages, and a cell of half an hour stays below.
 */
const TSLAB_INTERVAL = 5000;

/** A kernel that wants progress in its cells puts a `NotebookShow` under this name on `globalThis`. */
export const notebookShowSymbol = Symbol.for("damlab.notebookShow");

/** Where damlab's own kernel leaves its functions; `display` among them. */
const kernelApiSymbol = Symbol.for("damlab.kernel.api");

/** tslab's display, if this process is a running stock tslab kernel. */
export function runningTslab(): Tslab | undefined {
  // Asked of the modules that are loaded, because the kernel's tslab is not the one that this package would find.
  const suffix = path.join("tslab", "dist", "jupyter.js");
  const jupyter = Object.keys(require.cache).find((file) => file.endsWith(suffix));
  if (jupyter === undefined) return undefined;
  const { lastWriteDisplayData } = require.cache[jupyter]!.exports as { lastWriteDisplayData?: unknown };
  return typeof lastWriteDisplayData === "function" ? { write: lastWriteDisplayData as Tslab["write"] } : undefined;
}

/** Writes a bundle to a stock tslab kernel as one output with all its formats; false where it holds text only. */
export function displayInTslab(tslab: Tslab, bundle: MimeBundle): boolean {
  if (Object.keys(bundle).every((type) => type === "text/plain")) return false;
  tslab.write({ data: bundle, metadata: {}, transient: {} }, false);
  return true;
}

/**
 * Shows a value now, as its kernel's cell would show it at its end: anything with `Symbol.for("Jupyter.display")`, others as text.
 * It goes through the kernel's own display; outside of notebooks, `text/plain` is printed.
 */
export async function show(value: unknown): Promise<void> {
  const bundle = isDisplayable(value) ? await value[displaySymbol]() : undefined;
  const tslab = runningTslab();
  if (bundle !== undefined && tslab !== undefined && displayInTslab(tslab, bundle)) return;
  const own = (globalThis as Record<symbol, unknown>)[kernelApiSymbol] as
    { display(bundle: MimeBundle, options: object): void } | undefined;
  if (bundle !== undefined && own !== undefined) return own.display(bundle, { raw: true });
  console.log(bundle?.["text/plain"] ?? value);
}

/** Progress in the notebook, where this process is a kernel's; else on the terminal. */
export function defaultProgress(): ProgressSink {
  const tslab = runningTslab();
  if (tslab !== undefined) {
    return notebookProgress((bundle, id, update) => tslab.write({ data: bundle, metadata: {}, transient: { display_id: id } }, update), {
      interval: TSLAB_INTERVAL,
    });
  }
  const own = (globalThis as Record<symbol, unknown>)[notebookShowSymbol];
  return typeof own === "function" ? notebookProgress(own as NotebookShow) : terminalProgress();
}
