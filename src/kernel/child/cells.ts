import { AsyncLocalStorage } from "node:async_hooks";

/** Rejected awaits of an interrupted cell carry this. */
export class KernelInterrupted extends Error {
  override name = "KernelInterrupted";

  constructor() {
    super("The cell was interrupted");
  }
}

/** One run of a cell, from its begin to its last callback. */
export interface CellRun {
  readonly cell: number;
  readonly name: string;
  readonly allowStdin: boolean;
  /** Rejects when the cell is interrupted. */
  readonly interrupted: Promise<never>;
  interrupt(): void;
  /** Ends the cell from outside of its code, for an error in a callback of its. */
  fail(error: unknown): void;
}

const storage = new AsyncLocalStorage<CellRun>();
let current: CellRun | undefined;
let latest: CellRun | undefined;

/** The run that this code belongs to, also in callbacks that come after its end; else the last one that began. */
export function ownCell(): CellRun | undefined {
  return storage.getStore() ?? latest;
}

/** The run whose end is awaited. */
export function runningCell(): CellRun | undefined {
  return current;
}

/** Runs a body, and all that it causes, as part of a cell. */
export function asCell<T>(run: CellRun, body: () => T): T {
  return storage.run(run, body);
}

/** Makes a cell the running one, or (undefined) says that it has ended. */
export function setRunning(run: CellRun | undefined): void {
  current = run;
  latest = run ?? latest;
}

/** A run that can be interrupted; `onFail` gets what ends it from outside. */
export function createRun(cell: number, name: string, allowStdin: boolean, onFail: (error: unknown) => void): CellRun {
  let reject!: (error: Error) => void;
  const interrupted = new Promise<never>((_resolve, rejectNow) => (reject = rejectNow));
  interrupted.catch(() => undefined);
  return {
    cell,
    name,
    allowStdin,
    interrupted,
    interrupt: () => reject(new KernelInterrupted()),
    fail: onFail,
  };
}
