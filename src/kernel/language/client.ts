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

/** The language service in a thread of its own, so that the sockets never wait for it. */
export class LanguageThread implements Language {
  private readonly worker: Worker;
  private readonly open = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  private count = 0;

  constructor(cwd: string) {
    this.worker = new Worker(join(__dirname, "thread.js"), { workerData: { cwd }, stdin: false });
    this.worker.unref();
    this.worker.on("message", ({ id, value, error }: LanguageAnswer) => {
      const call = this.open.get(id);
      this.open.delete(id);
      if (error === undefined) call?.resolve(value as never);
      else call?.reject(new Error(error));
    });
    this.worker.on("error", (error: Error) => {
      for (const { reject } of this.open.values()) reject(error);
      this.open.clear();
    });
  }

  compile(cell: number, name: string, code: string): Promise<CompiledCell | ErrorReport> {
    return this.call("compile", cell, name, code);
  }

  compileExpressions(expressions: Readonly<Record<string, string>>): Promise<CompiledExpressions> {
    return this.call("compileExpressions", expressions);
  }

  commit(cell: number, names: readonly string[]): void {
    void this.call("commit", cell, names);
  }

  reset(): void {
    void this.call("reset");
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

  private call<T>(method: keyof Language, ...parameters: unknown[]): Promise<T> {
    const id = ++this.count;
    this.worker.postMessage({ id, method, arguments: parameters } satisfies LanguageCall);
    return new Promise<T>((resolve, reject) => this.open.set(id, { resolve, reject }));
  }
}
