import type { History, HistoryEntry } from "./history";
import type { Content } from "./message";

/**
 * The content of `history_reply`.
 * @throws {RangeError} if `hist_access_type` is none of the protocol's three.
 */
export function historyReply(history: History, request: Content): Content {
  const { hist_access_type: type, output = false } = request;
  const number = (name: string): number | null => (typeof request[name] === "number" ? (request[name] as number) : null);
  const select = (): HistoryEntry[] => {
    switch (type) {
      case "tail":
        return history.tail(number("n") ?? 10);
      case "range":
        return history.range(number("session") ?? 0, number("start") ?? 1, number("stop"));
      case "search":
        return history.search(String(request.pattern ?? "*"), { count: number("n"), unique: request.unique === true });
      default:
        throw new RangeError(
          `Cannot answer "history_request": expected hist_access_type tail, range or search, got ${JSON.stringify(type)}`,
        );
    }
  };
  const rows = select().map((entry) => [entry.session, entry.line, output === true ? [entry.input, entry.output] : entry.input]);
  return { status: "ok", history: rows };
}
