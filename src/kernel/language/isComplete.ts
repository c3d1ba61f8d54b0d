import * as ts from "typescript";

const UNTERMINATED_TEMPLATE = 1160;
const UNTERMINATED_COMMENT = 1010;
const UNTERMINATED_STRING = 1002;

/**
 * Whether code can run as it is (`complete`), wants more lines (`incomplete`, with an indent for the next one), or is wrong (`invalid`).
 * @param source The code as it was typed: magics, which are spaces in `code`, are no indent.
 */
export function isComplete(code: string, source = code): { status: "complete" | "invalid" } | { status: "incomplete"; indent: string } {
  const end = code.trimEnd().length;
  const errors = syntaxErrors(code);
  if (errors.length === 0) return { status: "complete" };
  const wantsMore = ({ start, code: number }: ts.Diagnostic): boolean =>
    number === UNTERMINATED_TEMPLATE || number === UNTERMINATED_COMMENT || (number !== UNTERMINATED_STRING && (start ?? 0) >= end);
  return errors.every(wantsMore) ? { status: "incomplete", indent: nextIndent(source) } : { status: "invalid" };
}

/** Errors that the parser finds in a cell, which may await at its top. */
export function syntaxErrors(code: string): readonly ts.Diagnostic[] {
  const file = ts.createSourceFile("cell.ts", code, {
    languageVersion: ts.ScriptTarget.ES2022,
    setExternalModuleIndicator: (source) => ((source as { externalModuleIndicator?: true }).externalModuleIndicator = true),
  });
  return (file as unknown as { parseDiagnostics: readonly ts.Diagnostic[] }).parseDiagnostics;
}

function nextIndent(source: string): string {
  const last = source.trimEnd().split("\n").at(-1)!;
  const indent = /^\s*/.exec(last)![0];
  const code = last.replace(/"[^"]*"|'[^']*'|`[^`]*`|\/\/.*/g, "");
  const opened = (code.match(/[[({]/g) ?? []).length - (code.match(/[\])}]/g) ?? []).length;
  return opened > 0 ? `${indent}  ` : indent;
}
