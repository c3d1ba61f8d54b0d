import { Script } from "node:vm";
import { SHARED } from "./sharedState";

/** Longest time that the thread of Node that handles SIGINT may take, and time in which it takes what is left when it is at work. */
const AWAKE_MS = 2000;
const REST_MS = 25;

const key = Symbol.for("damlab.kernel.call");
const breakable = new Script(`globalThis[Symbol.for("damlab.kernel.call")]()`, { filename: `${__dirname}/call.js` });

/**
 * Calls a function whose synchronous part SIGINT ends.
 * @returns `ended`: SIGINT has ended it; else what the function has returned.
 */
export function untilSignal<T>(work: () => T): { readonly ended: true } | { readonly ended: false; readonly value: T } {
  (globalThis as Record<symbol, unknown>)[key] = work;
  const listeners = process.listenerCount("SIGINT");
  try {
    return { ended: false, value: breakable.runInThisContext({ breakOnSigint: true }) as T };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_SCRIPT_EXECUTION_INTERRUPTED") throw error;
    return { ended: true };
  } finally {
    // Node itself has put back those that there were.
    if (process.listenerCount("SIGINT") !== listeners) listenAgain();
  }
}

/**
 * Takes in SIGINT that came just before the end of a synchronous part: Node may keep it for the next one, a cell for which it was not meant. Node
 * handles signals in a thread; here it gets one of our own, and when it has come the others come at once.
 */
export function forgetSignals(shared: Int32Array): void {
  if (process.platform === "win32") return;
  const wait = (milliseconds: number): unknown => Atomics.wait(shared, SHARED.rest, 0, milliseconds);
  untilSignal(() => {
    const own = untilSignal(() => {
      process.kill(process.pid, "SIGINT");
      wait(AWAKE_MS);
    });
    while (own.ended && untilSignal(() => wait(REST_MS)).ended);
  });
}

/**
 * Keeps SIGINT from its default action and from listeners. A signal does not say which cell it is meant for, and may reach the event loop when
 * the next one runs. It reaches the wire, too, which does know and tells the guard; so here it only ends the synchronous part of a cell.
 */
export function ignoreSignals(): void {
  const emit = process.emit.bind(process) as (name: string | symbol, ...parameters: unknown[]) => boolean;
  // Only Node itself adds the signal's number.
  process.emit = ((name: string | symbol, ...parameters: unknown[]): boolean =>
    name === "SIGINT" && typeof parameters[1] === "number" ? true : emit(name, ...parameters)) as typeof process.emit;
  process.on("SIGINT", onSignal);
}

const onSignal = (): void => undefined;

/**
 * Listens for SIGINT anew, before all others. After `breakOnSigint`, Node leaves the signal to its default action if code added a listener
 * meanwhile: the next SIGINT would end the process.
 */
function listenAgain(): void {
  const others = process.rawListeners("SIGINT").filter((listener) => listener !== onSignal);
  process.removeAllListeners("SIGINT");
  process.on("SIGINT", onSignal);
  for (const listener of others) process.on("SIGINT", listener as () => void);
}
