import { SourceMap } from "node:module";
import { dirname } from "node:path";
import { inspect } from "node:util";
import { KernelInterrupted } from "./cells";
import type { ErrorReport } from "../link/messages";

/** Compiled code whose frames are shown in its source: a cell or a local module. */
interface MappedSource {
  /** How frames name it. */
  readonly name: string;
  /** JSON; becomes a `map` when an error needs one, which is much larger. */
  readonly sourceMap: string;
  map?: SourceMap;
  readonly source: string;
  /** Lines before the first line of the source, in the source that the map knows. */
  readonly offset: number;
}

const sources = new Map<string, MappedSource>();
const ownFolder = dirname(__dirname);

/** Remembers the source map of a script, by the file name that V8 knows it under. */
export function registerSource(
  fileName: string,
  { name, sourceMap, source, offset }: { name: string; sourceMap: string; source: string; offset: number },
): void {
  sources.set(fileName, { name, sourceMap, source, offset });
}

/** Makes `stack` name cells and TypeScript lines, and leave out the kernel's own frames. */
export function mapStackTraces(): void {
  Error.prepareStackTrace = (error, sites) => {
    const frames = sites.filter((site) => !isOwn(site.getFileName())).map((site) => `\n    at ${mapSite(site)}`);
    let head: string;
    try {
      // Also for what is no error: `console.trace` makes an object with a name and a message.
      head = Error.prototype.toString.call(error);
    } catch {
      head = "Error";
    }
    return head + frames.join("");
  };
}

function isOwn(file: string | null | undefined): boolean {
  return (
    file !== null &&
    file !== undefined &&
    (file.startsWith(ownFolder) || file.startsWith("node:internal") || file === "node:vm" || file === "node:async_hooks")
  );
}

function mapSite(site: NodeJS.CallSite): string {
  const file = site.getFileName() ?? "";
  const found = sources.get(file);
  if (found === undefined) return String(site);
  const place = mapPlace(found, site.getLineNumber() ?? 1, site.getColumnNumber() ?? 1);
  const shown = `${found.name}:${place.line}:${place.column}`;
  const name = site.getFunctionName();
  const asynchronous = (site as { isAsync?(): boolean }).isAsync?.() === true ? "async " : "";
  const caller = name === null || name === "" ? "" : site.isConstructor() ? `new ${name}` : name;
  return caller === "" ? `${asynchronous}${shown}` : `${asynchronous}${caller} (${shown})`;
}

function mapPlace(source: MappedSource, line: number, column: number): { line: number; column: number } {
  const { sourceMap, offset } = source;
  if (sourceMap !== "") source.map ??= new SourceMap(JSON.parse(sourceMap) as ConstructorParameters<typeof SourceMap>[0]);
  const entry = source.map?.findEntry(line - 1 - offset, column - 1) as { originalLine?: number; originalColumn?: number } | undefined;
  if (entry?.originalLine === undefined) return { line: Math.max(1, line - offset), column };
  return { line: entry.originalLine + 1 - offset, column: (entry.originalColumn ?? 0) + 1 };
}

const red = (text: string): string => `\u001b[31m${text}\u001b[39m`;
const dim = (text: string): string => `\u001b[2m${text}\u001b[22m`;

/**
 * An error, or whatever else was thrown, as the protocol reports it: with the line of the cell that it came from. It may be anything, so looking
 * at it may fail, too.
 */
export function errorReport(thrown: unknown): ErrorReport {
  try {
    return describe(thrown);
  } catch {
    const text = "a value that cannot be shown";
    return { ename: "Thrown", evalue: text, traceback: [`${red("Thrown")}: ${text}`] };
  }
}

function describe(thrown: unknown): ErrorReport {
  if (!(thrown instanceof Error) && !isErrorLike(thrown)) {
    const text = typeof thrown === "string" ? thrown : inspect(thrown);
    return { ename: "Thrown", evalue: text, traceback: [`${red("Thrown")}: ${text}`] };
  }
  const { name, message } = thrown;
  const frames = stackOf(thrown)
    .split("\n")
    .filter((line) => /^\s+at /.test(line));
  // Where an await was interrupted is not known; the stack only shows how the kernel did it.
  if (thrown instanceof KernelInterrupted) return { ename: name, evalue: message, traceback: [`${red(name)}: ${message}`] };
  const head = `${red(name)}: ${message}`.split("\n");
  return { ename: String(name), evalue: String(message), traceback: [...head, ...frames, ...frameOf(frames), ...detailsOf(thrown)] };
}

function stackOf(error: Error): string {
  try {
    return String(error.stack ?? "");
  } catch {
    return "";
  }
}

/** Fields of an error beside its message and stack, and what caused it. */
function detailsOf(error: Error): string[] {
  const { cause } = error;
  const fields = Object.fromEntries(Object.entries(error).filter(([key]) => !["name", "message", "stack", "cause"].includes(key)));
  const errors = error instanceof AggregateError ? { errors: error.errors as unknown } : {};
  const all = { ...fields, ...errors, ...(cause !== undefined && { cause }) };
  return Object.keys(all).length === 0 ? [] : inspect(all, { colors: true }).split("\n");
}

function isErrorLike(value: unknown): value is Error {
  return Object.prototype.toString.call(value) === "[object Error]";
}

/** The source around the topmost frame that has one. */
function frameOf(frames: readonly string[]): string[] {
  for (const frame of frames) {
    const [, name, row, column] = /(?:\(|at (?:async )?)([^()]*):(\d+):(\d+)\)?$/.exec(frame) ?? [];
    const found = [...sources.values()].findLast((source) => source.name === name);
    if (found === undefined) continue;
    const lines = found.source.split("\n");
    const line = Number(row);
    const shown = [line - 1, line, line + 1].filter((number) => number >= 1 && number <= lines.length);
    const width = String(line + 1).length;
    return shown.flatMap((number) => {
      const text = `${dim(`${String(number).padStart(width)} | `)}${lines[number - 1]}`;
      const caret = `${" ".repeat(width)}${dim(" | ")}${" ".repeat(Number(column) - 1)}${red("^")}`;
      return number === line ? [text, caret] : [text];
    });
  }
  return [];
}
