import { Script } from "node:vm";
import { asCell, type CellRun, createRun, KernelInterrupted, setRunning, startingCell } from "./cells";
import { send, writeFully } from "./channel";
import { errorReport, registerSource } from "./errors";
import { format } from "./format";
import { flag, noteTermination, shareRunning, stop } from "./interrupts";
import { runActions, timed } from "./actions";
import type { ModuleLoader } from "./modules";
import { type DeclaredAccess, SessionScope } from "./scope";
import { untilSignal } from "./signals";
import type { Bundle, CompiledCode, ErrorReport, ExpressionReply, Request } from "../link/messages";

type ExecuteRequest = Extract<Request, { type: "execute" }>;
type CellFunction = (cell: object, flag: Int32Array, require: NodeRequire, filename: string, dirname: string) => () => Promise<void>;

/** What compiled code of one cell calls; `interruptible.ts` and `sessionScope.ts` write the calls. */
interface CellRuntime {
  declared: DeclaredAccess;
  value: unknown;
}

/** Runs compiled cells, one after the other, in one session. */
export class CellRunner {
  private readonly scope = new SessionScope();

  constructor(
    private readonly loader: ModuleLoader,
    private readonly marker: string,
  ) {}

  async execute({ cell, name, code, modules, actions, allowStdin }: ExecuteRequest): Promise<void> {
    this.loader.update(modules);
    const { run, unlessEnded } = this.begin(cell, name, allowStdin);
    const runtime: CellRuntime = { declared: {}, value: undefined };
    let outcome: { result?: Bundle; error?: ErrorReport };
    try {
      await unlessEnded(() => runActions(actions, this.loader));
      await unlessEnded(() => timed(actions, () => this.call(run, code, runtime)));
      const result = await unlessEnded(() => format(runtime.value));
      outcome = result === undefined ? {} : { result };
    } catch (error) {
      outcome = { error: errorReport(error) };
    }
    const names = this.scope.commit(runtime.declared);
    this.end();
    this.mark(cell);
    try {
      send({ type: "done", cell, names, ...outcome });
    } catch (error) {
      // The formats of its value are no JSON.
      send({ type: "done", cell, names, error: errorReport(error) });
    }
  }

  async evaluate(cell: number, expressions: Readonly<Record<string, CompiledCode>>): Promise<void> {
    const replies: Record<string, ExpressionReply> = {};
    for (const [name, code] of Object.entries(expressions)) {
      const runtime: CellRuntime = { declared: {}, value: undefined };
      const { run, unlessEnded } = this.begin(cell, name, false);
      try {
        await unlessEnded(() => this.call(run, code, runtime));
        const shown = await unlessEnded(() => format(runtime.value));
        // Formats that are no JSON are an error of this expression only.
        JSON.stringify(shown);
        replies[name] = { status: "ok", ...(shown ?? { data: { "text/plain": "undefined" }, metadata: {} }) };
      } catch (error) {
        replies[name] = { status: "error", ...errorReport(error) };
      }
    }
    this.end();
    send({ type: "evaluated", cell, replies });
  }

  /** Makes a new run the running one; `unlessEnded` does a part of its work, until that or the whole run ends. */
  private begin(cell: number, name: string, allowStdin: boolean) {
    let fail!: (error: unknown) => void;
    const failed = new Promise<never>((_resolve, reject) => (fail = reject));
    failed.catch(() => undefined);
    const run = createRun(cell, name, allowStdin, fail);
    setRunning(run);
    shareRunning(cell);
    const unlessEnded = <T>(work: () => T | Promise<T>): Promise<T> => asCell(run, async () => Promise.race([work(), failed]));
    return { run, unlessEnded };
  }

  private end(): void {
    setRunning(undefined);
    shareRunning(0);
  }

  private call(run: CellRun, code: CompiledCode, runtime: CellRuntime): Promise<void> {
    const filename = `damlab:cell/${run.cell}/${run.name}`;
    registerSource(filename, { name: run.name, sourceMap: code.sourceMap, source: code.source, offset: 1 });
    const begin = new Script(code.javascript, { filename }).runInThisContext() as CellFunction;
    const { loader, scope } = this;
    const calls = {
      slot: (name: string) => scope.slot(name),
      names: (declared: DeclaredAccess) => (runtime.declared = declared),
      result: (value: unknown) => (runtime.value = value),
      load: (specifier: string) => loader.load(specifier),
      meta: loader.meta,
      ...interruptibleCalls(run),
    };
    const called = untilSignal(begin(calls, flag, loader.require, loader.filename, loader.dirname));
    if (!called.ended) return called.value;
    noteTermination();
    throw new KernelInterrupted();
  }

  /** The wire reads raw output up to this mark before it says that the cell is done. */
  private mark(cell: number): void {
    for (const descriptor of [1, 2]) {
      try {
        writeFully(descriptor, Buffer.from(`${this.marker}${cell}\0`));
      } catch {
        // User code has closed it; the wire waits a little instead.
      }
    }
  }
}

/** What loops and awaits call: in a cell for its run, in a module for whichever run they belong to. */
export function interruptibleCalls(run: CellRun | (() => CellRun | undefined)): object {
  // A function of an earlier cell belongs to the cell that has called it.
  const owner = typeof run === "function" ? run : (): CellRun => startingCell() ?? run;
  return {
    stop,
    settle: (value: unknown): unknown => {
      // Awaits of what is there already can go on for ever without a turn of the event loop.
      if (flag[0] !== 0) stop();
      return isThenable(value) ? (owner()?.settle(value) ?? value) : value;
    },
    each: (values: AsyncIterable<unknown> | Iterable<unknown>): AsyncIterable<unknown> => eachUntilInterrupted(values, owner),
  };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    (typeof value === "object" || typeof value === "function") && value !== null && typeof (value as { then?: unknown }).then === "function"
  );
}

async function* eachUntilInterrupted(
  values: AsyncIterable<unknown> | Iterable<unknown>,
  owner: () => CellRun | undefined,
): AsyncGenerator<unknown> {
  const asynchronous = (values as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator];
  const iterator = asynchronous?.call(values) ?? (values as Iterable<unknown>)[Symbol.iterator]();
  let done = false;
  try {
    for (;;) {
      const own = owner();
      const next = await (own?.settle(iterator.next()) ?? iterator.next());
      done = next.done === true;
      if (done) return;
      yield await next.value;
    }
  } finally {
    if (!done) void Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}
