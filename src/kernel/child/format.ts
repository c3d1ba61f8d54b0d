import { inspect } from "node:util";
import { isDisplayable, displaySymbol } from "../../display/mime";
import type { Bundle } from "../link/messages";
import { knownFormat } from "./knownFormats";
import { mimeValues } from "./mimeValues";

/** How much of a value its text shows. */
const LIMITS = { depth: 4, maxArrayLength: 100, maxStringLength: 10_000, breakLength: 100 };

/** Values that stand for something that is on display already; as a cell's value they show nothing. */
export const shownAlready = new WeakSet<object>();

/** Names of what Node's asynchronous hooks leave on promises, in sight of `util.inspect`. */
const HOOKS = new Set(["async_id_symbol", "trigger_async_id_symbol", "kResourceStore"]);

/** Makes `util.inspect` show promises as without asynchronous hooks, which the kernel needs to tell cells apart. */
export function hideHooks(): void {
  const value = function (this: object): object {
    for (const symbol of Object.getOwnPropertySymbols(this))
      if (HOOKS.has(symbol.description ?? "")) Object.defineProperty(this, symbol, { enumerable: false });
    return this;
  };
  const prototype: object = Promise.prototype;
  Object.defineProperty(prototype, inspect.custom, { value, configurable: true, writable: true });
}

/** The MIME bundle of a cell's value; undefined where there is nothing to show. */
export async function format(value: unknown): Promise<Bundle | undefined> {
  const nothing = value === undefined || (typeof value === "object" && value !== null && shownAlready.has(value));
  return nothing ? undefined : formatDisplay(value, false);
}

/** The MIME bundle of a displayed value; `raw`: the value is one. A promise only if the value takes its time. */
export function formatDisplay(value: unknown, raw: boolean): Bundle | Promise<Bundle> {
  if (raw) return { data: mimeValues(value as object), metadata: {} };
  if (isDisplayable(value)) {
    const data = value[displaySymbol]();
    return data instanceof Promise ? data.then((bundle: object) => complete(value, bundle)) : complete(value, data);
  }
  return complete(value, knownFormat(value) ?? {});
}

/** Every bundle has text, for clients that show nothing else. */
function complete(value: unknown, bundle: object): Bundle {
  if (typeof bundle !== "object" || bundle === null)
    throw new TypeError(`Cannot display value: expected a MIME bundle from its Symbol.for("Jupyter.display"), got ${String(bundle)}`);
  const data = mimeValues(bundle);
  return { data: "text/plain" in data ? data : { "text/plain": inspect(value, LIMITS), ...data }, metadata: {} };
}
