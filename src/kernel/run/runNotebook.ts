import { LocalClient } from "./localClient";
import { type Notebook, type NotebookCell, type NotebookOutput, sourceOf } from "./notebook";
import { OutputList } from "./outputList";
import type { Content } from "../wire/message";

/** A cell that is still running so long after the interrupt of its timeout ends with its process. */
const TIMEOUT_PATIENCE_MS = 5000;

/** Settings of a run. */
export interface RunNotebookOptions {
  /** Folder in which the cells run. */
  readonly cwd: string;
  /** Seconds a cell may take; default no limit. */
  readonly timeout?: number;
  /** Goes on after a cell that failed. */
  readonly allowErrors?: boolean;
  /** Ctrl-C. */
  readonly signal?: AbortSignal;
  /** Called before each code cell. */
  readonly onCell?: (index: number, total: number, cell: NotebookCell) => void;
}

/** A cell that failed. */
export interface CellFailure {
  /** Number among the code cells, from 1. */
  readonly cell: number;
  readonly ename: string;
  readonly evalue: string;
  readonly traceback: readonly string[];
}

/**
 * Runs the code cells of a notebook one after the other and writes outputs and counts into it.
 * @returns The first failure, if any; without `allowErrors` the run ends there.
 */
export async function runNotebook(notebook: Notebook, options: RunNotebookOptions): Promise<CellFailure | undefined> {
  const { cwd, allowErrors = false, signal, onCell } = options;
  const client = new LocalClient(cwd);
  const onAbort = (): void => client.interrupt();
  signal?.addEventListener("abort", onAbort);
  try {
    const { language_info } = await client.request("kernel_info_request", {});
    notebook.metadata.language_info = language_info;
    // Answered when the language service is there: its start must not count as the first cell's time.
    await client.request("is_complete_request", { code: "" });
    const code = notebook.cells.filter(({ cell_type }) => cell_type === "code");
    for (const cell of code) Object.assign(cell, { outputs: [], execution_count: null });
    const displays = new Map<string, { list: OutputList; index: number }[]>();
    let failure: CellFailure | undefined;
    for (const [index, cell] of code.entries()) {
      onCell?.(index, code.length, cell);
      const list = new OutputList(displays);
      cell.outputs = list.outputs;
      if (sourceOf(cell).trim() === "") continue;
      const reply = await runCell(client, cell, list, options);
      cell.execution_count = reply.execution_count as number;
      if (reply.status === "ok") continue;
      failure ??= { cell: index + 1, ename: String(reply.ename), evalue: String(reply.evalue), traceback: reply.traceback as string[] };
      if (!(allowErrors || hasTag(cell, "raises-exception")) || signal?.aborted === true) break;
      if (hasTag(cell, "raises-exception")) failure = undefined;
    }
    return failure;
  } finally {
    signal?.removeEventListener("abort", onAbort);
    await client.close();
  }
}

async function runCell(client: LocalClient, cell: NotebookCell, list: OutputList, { timeout }: RunNotebookOptions): Promise<Content> {
  const content = {
    code: sourceOf(cell),
    silent: false,
    store_history: true,
    user_expressions: {},
    allow_stdin: false,
    stop_on_error: true,
  };
  const reply = client.request("execute_request", content, (message) => list.add(message));
  if (timeout === undefined) return reply;
  const interrupt = (): void => void client.request("interrupt_request", {});
  const timers = [setTimeout(interrupt, timeout * 1000), setTimeout(interrupt, timeout * 1000 + TIMEOUT_PATIENCE_MS)];
  let late = false;
  const mark = setTimeout(() => (late = true), timeout * 1000);
  try {
    const ended = await reply;
    if (!late || ended.status === "ok") return ended;
    const evalue = `The cell took longer than ${timeout} s`;
    return { ...ended, ename: "CellTimeout", evalue, traceback: [`CellTimeout: ${evalue}`] };
  } finally {
    for (const timer of [...timers, mark]) clearTimeout(timer);
  }
}

function hasTag({ metadata }: NotebookCell, tag: string): boolean {
  return Array.isArray(metadata.tags) && metadata.tags.includes(tag);
}

/** Type of the outputs that a run writes; exported for those who read them. */
export type { NotebookOutput };
