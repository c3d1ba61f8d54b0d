import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { CompiledCell, CompiledExpressions, Language } from "./calls";
import type { ErrorReport } from "../link/messages";

export type { Language } from "./calls";

/** A call on its way to the language thread. */
export interface LanguageCall {
  readonly id: number;
  readonly method: keyof Language;
  readonly arguments: readonly unknown[];
}

/** Its answer. */
export interface LanguageAnswer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

type Content = Readonly<Record<string, unknown>>;

interface Cell {
  readonly cell: number;
  readonly code: string;
  readonly names: readonly string[];
}

interface OpenCall {
  readonly method: keyof Language;
  readonly parameters: readonly unknown[];
  resolve(value: never): void;
  reject(error: Error): void;
}

/** Most of what a check makes is garbage at its end: a nursery that holds several cells' is collected more seldom, and less of it survives. */
const LIMITS = { maxYoungGenerationSizeMb: 32 };

/** Calls that a new thread need not get again, because it learns what they have told. */
const RELEARNED: ReadonlySet<keyof Language> = new Set(["commit", "restore", "reset"]);

/** A cell that is interrupted while it is being checked may take so long for it; then the thread is given up. */
const CHECK_PATIENCE_MS = 500;

/** A thread that dies so often without an answer in between is not started again. */
const FRUITLESS_STARTS = 3;

/**
 * The language service in a thread of its own, so that the sockets never wait for it. Should the thread die (of a giant type, say), the calls
 * that it has not answered fail, and a new one learns the session's cells again.
 */
export class LanguageThread implements Omit<Language, "restore"> {
  private worker: Worker | undefined;
  private readonly open = new Map<number, OpenCall>();
  private readonly compiled = new Map<number, Cell>();
  private committed: Cell[] = [];
  private count = 0;
  private fruitless = 0;

  constructor(private readonly cwd: string) {
    this.worker = this.start();
  }

  compile(cell: number, name: string, code: string): Promise<CompiledCell | ErrorReport> {
    this.compiled.set(cell, { cell, code, names: [] });
    return this.call("compile", cell, name, code);
  }

  compileExpressions(expressions: Readonly<Record<string, string>>): Promise<CompiledExpressions> {
    return this.call("compileExpressions", expressions);
  }

  commit(cell: number, names: readonly string[]): void {
    const compiled = this.compiled.get(cell);
    this.compiled.clear();
    if (compiled !== undefined && names.length > 0) this.committed.push({ ...compiled, names });
    this.notify("commit", cell, names);
  }

  reset(): void {
    this.committed = [];
    this.notify("reset");
  }

  complete(code: string, cursor: number): Promise<Content> {
    return this.call("complete", code, cursor);
  }

  inspect(code: string, cursor: number, detail: number): Promise<Content> {
    return this.call("inspect", code, cursor, detail);
  }

  isComplete(code: string): Promise<Content> {
    return this.call("isComplete", code);
  }

  /** Nobody waits any more for the cell that is being checked; a check that goes on and on must not keep those behind it waiting. */
  abandon(): void {
    const { worker } = this;
    const checked = [...this.open].filter(([, { method }]) => method === "compile").map(([id]) => id);
    setTimeout(() => {
      if (checked.some((id) => this.open.has(id))) void worker?.terminate();
    }, CHECK_PATIENCE_MS).unref();
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    const { worker } = this;
    this.worker = undefined;
    await worker?.terminate();
  }

  private start(): Worker {
    const worker = new Worker(join(__dirname, "thread.js"), { workerData: { cwd: this.cwd }, resourceLimits: LIMITS });
    let reason = "it was stopped";
    worker.unref();
    worker.on("message", ({ id, value, error }: LanguageAnswer) => {
      this.fruitless = 0;
      const call = this.open.get(id);
      this.open.delete(id);
      if (error === undefined) call?.resolve(value as never);
      else call?.reject(new Error(error));
    });
    worker.on("error", ({ message }: Error) => (reason = message));
    worker.on("exit", () => this.onExit(worker, reason));
    return worker;
  }

  private onExit(worker: Worker, reason: string): void {
    const open = [...this.open.values()];
    this.open.clear();
    // Calls are answered in their order: the first open one is what the thread has died of.
    const [culprit, ...waiting] = open.filter(({ method }) => !RELEARNED.has(method));
    culprit?.reject(new Error(`The language service has ended: ${reason}`));
    if (this.worker === worker) {
      this.worker = ++this.fruitless <= FRUITLESS_STARTS ? this.start() : undefined;
      for (const { cell, code, names } of this.committed) this.notify("restore", cell, code, names);
    }
    for (const { method, parameters, resolve, reject } of waiting) this.call(method, ...parameters).then(resolve as () => void, reject);
  }

  /** A call whose answer nobody needs. */
  private notify(method: keyof Language, ...parameters: unknown[]): void {
    this.call(method, ...parameters).catch(() => undefined);
  }

  private call<T>(method: keyof Language, ...parameters: unknown[]): Promise<T> {
    const { worker } = this;
    if (worker === undefined) return Promise.reject(new Error("The language service has ended"));
    const id = ++this.count;
    worker.postMessage({ id, method, arguments: parameters } satisfies LanguageCall);
    return new Promise<T>((resolve, reject) => this.open.set(id, { method, parameters, resolve, reject }));
  }
}
