import timers from "node:timers";
import { KernelInterrupted } from "./cells";

/** Ends each interval whose callback was interrupted: it would fire again, and keep all later cells waiting. */
export function endInterruptedIntervals(): void {
  const begin = timers.setInterval;
  const replacement = (callback: (...parameters: unknown[]) => void, delay?: number, ...parameters: unknown[]): NodeJS.Timeout => {
    if (typeof callback !== "function") return begin(callback, delay);
    const timer = begin(
      function (this: unknown, ...given: unknown[]) {
        try {
          callback.apply(this, given);
        } catch (error) {
          if (error instanceof KernelInterrupted) clearInterval(timer);
          throw error;
        }
      },
      delay,
      ...parameters,
    );
    return timer;
  };
  timers.setInterval = globalThis.setInterval = Object.defineProperty(replacement, "name", { value: "setInterval" }) as typeof setInterval;
}
