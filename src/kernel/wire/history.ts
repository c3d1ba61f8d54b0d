import { appendFileSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";

/** One line of input. */
export interface HistoryEntry {
  readonly session: number;
  readonly line: number;
  readonly input: string;
  readonly output: string | null;
}

/** How many entries of former sessions are remembered. */
const KEPT_ENTRIES = 10_000;

/** What was typed, in this session and in former ones; one line of JSON an entry. */
export class History {
  private readonly entries: HistoryEntry[];
  /** Number of this session: one more than the last one's. */
  readonly session: number;

  /** @param file Where entries are kept; null keeps them in memory. A file that cannot be read or written is left alone. */
  constructor(private readonly file: string | null) {
    this.entries = file === null ? [] : readEntries(file);
    this.session = (this.entries.at(-1)?.session ?? 0) + 1;
  }

  add(line: number, input: string, output: string | null): void {
    const entry = { session: this.session, line, input, output };
    this.entries.push(entry);
    if (this.file === null) return;
    try {
      mkdirSync(dirname(this.file), { recursive: true });
      appendFileSync(this.file, `${JSON.stringify(entry)}\n`, { mode: 0o600 });
    } catch {
      // A home that cannot be written must not stop a cell.
    }
  }

  /** The last `count` entries, oldest first. */
  tail(count: number): HistoryEntry[] {
    return count > 0 ? this.entries.slice(-count) : [];
  }

  /** Lines `start` (included) to `stop` (excluded) of a session; 0 is this session, −1 the one before. */
  range(session: number, start: number, stop: number | null): HistoryEntry[] {
    const wanted = session > 0 ? session : this.session + session;
    return this.entries.filter((entry) => entry.session === wanted && entry.line >= start && (stop === null || entry.line < stop));
  }

  /**
   * The last `count` entries that a glob pattern (`*`, `?`, `[a-z]`, `[^a]`) matches, oldest first.
   * @param unique Leaves only the newest of entries with the same input.
   */
  search(pattern: string, { count = null, unique = false }: { count?: number | null; unique?: boolean } = {}): HistoryEntry[] {
    const glob = globExpression(pattern);
    let found = this.entries.filter(({ input }) => glob.test(input));
    if (unique) found = [...new Map([...found].reverse().map((entry) => [entry.input, entry])).values()].reverse();
    return count === null ? found : found.slice(-count || found.length);
  }
}

function globExpression(pattern: string): RegExp {
  const parts = pattern.matchAll(/\[(\^?)(\]?[^\]]*)\]|[^]/g);
  const expressions = [...parts].map(([part, not, members]) => {
    if (members !== undefined && members !== "") return `[${not}${members.replace(/[\\\]^[]/g, "\\$&")}]`;
    return part === "*" ? "[^]*" : part === "?" ? "[^]" : part.replace(/[\\^$+.()|{}[\]*?]/g, "\\$&");
  });
  return new RegExp(`^${expressions.join("")}$`);
}

function readEntries(file: string): HistoryEntry[] {
  let lines: string[];
  try {
    lines = readFileSync(file, "utf8").split("\n").slice(-KEPT_ENTRIES);
  } catch {
    return [];
  }
  return lines.flatMap((line) => {
    try {
      return [JSON.parse(line) as HistoryEntry];
    } catch {
      return [];
    }
  });
}
