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
  readonly name: string;
  readonly code: string;
  readonly names: readonly string[];
}

/** A thread that dies so often without an answer in between is not started again. */
const FRUITLESS_STARTS = 3;

/**
 * The language service in a thread of its own, so that the sockets never wait for it. Should the thread die (of a giant type, say), the calls
 * that it has not answered fail, and a new one learns the session's cells again.
 */
export class LanguageThread implements Language {
  private worker: Worker;
  private readonly open = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  private readonly compiled = new Map<number, Cell>();
  private committed: Cell[] = [];
  private count = 0;
  private fruitless = 0;

  constructor(private readonly cwd: string) {
    this.worker = this.start();
  }

  async compile(cell: number, name: string, code: string): Promise<CompiledCell | ErrorReport> {
    this.compiled.set(cell, { cell, name, code, names: [] });
    return this.call("compile", cell, name, code);
  }

  compileExpressions(expressions: Readonly<Record<string, string>>): Promise<CompiledExpressions> {
    return this.call("compileExpressions", expressions);
  }

  commit(cell: number, names: readonly string[]): void {
    const compiled = this.compiled.get(cell);
    this.compiled.clear();
    if (compiled !== undefined) this.committed.push({ ...compiled, names });
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

  /** Ends the thread. */
  async close(): Promise<void> {
    await this.worker.terminate();
  }

  private start(): Worker {
    const worker = new Worker(join(__dirname, "thread.js"), { workerData: { cwd: this.cwd }, stdin: false });
    worker.unref();
    worker.on("message", ({ id, value, error }: LanguageAnswer) => {
      this.fruitless = 0;
      const call = this.open.get(id);
      this.open.delete(id);
      if (error === undefined) call?.resolve(value as never);
      else call?.reject(new Error(error));
    });
    worker.on("error", (error: Error) => this.restart(error));
    return worker;
  }

  private restart(error: Error): void {
    const open = [...this.open.values()];
    this.open.clear();
    if (++this.fruitless <= FRUITLESS_STARTS) {
      this.worker = this.start();
      for (const { cell, name, code, names } of this.committed) {
        this.notify("compile", cell, name, code);
        this.notify("commit", cell, names);
      }
    }
    for (const { reject } of open) reject(new Error(`The language service has ended: ${error.message}`));
  }

  /** A call whose answer nobody needs. */
  private notify(method: keyof Language, ...parameters: unknown[]): void {
    this.call(method, ...parameters).catch(() => undefined);
  }

  private call<T>(method: keyof Language, ...parameters: unknown[]): Promise<T> {
    const id = ++this.count;
    this.worker.postMessage({ id, method, arguments: parameters } satisfies LanguageCall);
    return new Promise<T>((resolve, reject) => this.open.set(id, { resolve, reject }));
  }
}
