import * as ts from "typescript";
import type { ErrorReport } from "../link/messages";

/** So many errors are shown in full. */
const SHOWN_ERRORS = 5;

const red = (text: string): string => `\u001b[31m${text}\u001b[39m`;
const dim = (text: string): string => `\u001b[2m${text}\u001b[22m`;

/** Whether an error only says that a parameter or a module has no type of its own: TypeScript numbers those from 7000. */
export function isMissingType({ code }: ts.Diagnostic): boolean {
  return code >= 7000 && code < 7100;
}

/**
 * Errors of a cell as the protocol reports them: the first one's number (`TS2322`) and text, and a traceback that shows each in its line.
 * @param offset Where the cell's code begins in the file that was checked.
 * @param name What the cell is called, such as `In[3]`.
 */
export function diagnosticsReport(diagnostics: readonly ts.Diagnostic[], name: string, code: string, offset: number): ErrorReport {
  const frames = diagnostics.slice(0, SHOWN_ERRORS).map((diagnostic) => {
    const start = Math.min(Math.max(0, (diagnostic.start ?? 0) - offset), code.length);
    const text = ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n");
    const { place, frame } = codeFrame(code, start, diagnostic.length ?? 1);
    return `${red(`TS${diagnostic.code}`)}: ${text}\n    at ${name}:${place}\n${frame}`;
  });
  const more = diagnostics.length - frames.length;
  const first = diagnostics[0]!;
  return {
    ename: `TS${first.code}`,
    evalue: ts.flattenDiagnosticMessageText(first.messageText, "\n"),
    traceback: [...frames, ...(more > 0 ? [`and ${more} more`] : [])].flatMap((frame) => frame.split("\n")),
  };
}

function codeFrame(code: string, start: number, length: number): { place: string; frame: string } {
  const before = code.slice(0, start).split("\n");
  const row = before.length - 1;
  const column = before[row]!.length;
  const lines = code.split("\n");
  const line = lines[row] ?? "";
  const width = Math.max(1, Math.min(length, line.length - column));
  const number = (index: number): string => dim(`${String(index + 1).padStart(String(row + 1).length)} | `);
  const frame = [
    ...(row > 0 ? [`${number(row - 1)}${lines[row - 1]}`] : []),
    `${number(row)}${line}`,
    `${" ".repeat(String(row + 1).length)}${dim(" | ")}${line.slice(0, column).replace(/[^\t]/g, " ")}${red("~".repeat(width))}`,
  ];
  return { place: `${row + 1}:${column + 1}`, frame: frame.join("\n") };
}
