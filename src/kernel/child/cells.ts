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
  /** The value of a promise; rejects as soon as the cell is interrupted. */
  settle<T>(value: T | PromiseLike<T>): Promise<T>;
  /** The first time all that it awaits rejects, and its code decides how it ends; the second time it ends. */
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

/** The run that this code was started by; undefined where that is not known. */
export function startingCell(): CellRun | undefined {
  return storage.getStore();
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

/** A run that can be interrupted; `onFail` gets what ends it from outside of its code. */
export function createRun(cell: number, name: string, allowStdin: boolean, onFail: (error: unknown) => void): CellRun {
  // Not a race with one long-lived promise: that would remember each await of the cell until its end.
  const pending = new Set<(error: Error) => void>();
  let interrupts = 0;
  return {
    cell,
    name,
    allowStdin,
    fail: onFail,
    settle: <T>(value: T | PromiseLike<T>) =>
      new Promise<T>((resolve, reject) => {
        // Code that has swallowed an interrupt and was ended by the next one rests at its next await.
        if (interrupts > 1) return;
        pending.add(reject);
        const done = (): boolean => pending.delete(reject);
        Promise.resolve(value).then(
          (settled) => (done(), resolve(settled)),
          (error: unknown) => (done(), reject(error as Error)),
        );
      }),
    interrupt: () => {
      const error = new KernelInterrupted();
      const waiting = [...pending];
      if (++interrupts > 1 || waiting.length === 0) onFail(error);
      for (const reject of waiting) reject(error);
    },
  };
}
