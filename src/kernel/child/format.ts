import { inspect } from "node:util";
import { displaySymbol, isDisplayable } from "../../display/mime";
import type { Bundle } from "../link/messages";

const plain = (value: unknown): string => inspect(value, { depth: 4, maxArrayLength: 100, maxStringLength: 10_000, breakLength: 100 });

/** Values that stand for something that is on display already; as a cell's value they show nothing. */
export const shownAlready = new WeakSet<object>();

/** The MIME bundle of a cell's value; undefined where there is nothing to show. */
export async function format(value: unknown): Promise<Bundle | undefined> {
  const nothing = value === undefined || (typeof value === "object" && value !== null && shownAlready.has(value));
  return nothing ? undefined : formatDisplay(value, false);
}

/** The MIME bundle of a displayed value; `raw`: the value is one. A promise only if the value takes its time. */
export function formatDisplay(value: unknown, raw: boolean): Bundle | Promise<Bundle> {
  if (raw) return { data: { ...(value as object) }, metadata: {} };
  if (isDisplayable(value)) {
    const data = value[displaySymbol]();
    const complete = (bundle: object): Bundle => ({ data: { "text/plain": plain(value), ...bundle }, metadata: {} });
    return data instanceof Promise ? data.then(complete) : complete(data);
  }
  return { data: { "text/plain": plain(value) }, metadata: {} };
}
