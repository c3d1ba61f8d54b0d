import { relative } from "node:path";
import * as ts from "typescript";
import type { CompiledCell, CompiledExpressions, Language } from "./calls";
import { CellHost } from "./cellHost";
import { type CellText, cellText, type SessionName } from "./cellText";
import { complete } from "./complete";
import { diagnosticsReport, isMissingType } from "./diagnostics";
import { documentRegistry } from "./documents";
import { emitCell } from "./emit";
import { withImportedTypes } from "./importedTypes";
import { inspect } from "./inspect";
import { isComplete } from "./isComplete";
import { LocalModules } from "./localModules";
import { completeMagic, parseMagics } from "./magics";
import type { CompiledCode, ErrorReport, ExpressionReply } from "../link/messages";

const ASSIGNS_IMPORT = 2632;
const ASSIGNS_CONSTANT = 2588;

type Synchronous<T> = { [K in keyof T]: T[K] extends (...all: infer P) => Promise<infer R> ? (...all: P) => R : T[K] };

/** All that TypeScript knows of one notebook: the cells that ran, the names they left, and the files that they import. */
export class LanguageSession implements Synchronous<Language> {
  private readonly host: CellHost;
  private readonly service: ts.LanguageService;
  private readonly modules: LocalModules;
  private readonly names = new Map<string, SessionName>();
  private readonly pending = new Map<number, CellText>();

  constructor(private readonly cwd: string) {
    this.host = new CellHost(cwd);
    this.service = ts.createLanguageService(this.host, documentRegistry(cwd));
    this.modules = new LocalModules(this.host);
    // The first program takes longest, because the libraries are parsed for it: better now than in the first cell.
    this.check(cellText("", this.names));
  }

  compile(cell: number, name: string, source: string): CompiledCell | ErrorReport {
    const { code, actions, check } = parseMagics(source);
    const text = cellText(code, this.names);
    const errors = this.errors(text);
    const program = this.service.getProgram()!;
    const broken = this.modules.broken(program);
    if (broken) return diagnosticsReport(broken.errors, relative(this.cwd, broken.file.fileName), broken.file.text, 0);
    const wrong = check ? errors : errors.filter(isSyntaxError);
    if (wrong.length > 0) return diagnosticsReport(wrong, name, source, text.offset);
    const path = this.host.path("__cell");
    const known = withImportedTypes(program, path, text);
    this.pending.set(cell, known);
    return { code: emitCell(program, path, known), modules: this.modules.changed(program), actions };
  }

  compileExpressions(expressions: Readonly<Record<string, string>>): CompiledExpressions {
    const code: Record<string, CompiledCode> = {};
    const failed: Record<string, ExpressionReply> = {};
    for (const [key, expression] of Object.entries(expressions)) {
      const text = cellText(expression, this.names);
      const errors = this.check(text).filter(isSyntaxError);
      if (errors.length > 0) failed[key] = { status: "error", ...diagnosticsReport(errors, key, expression, text.offset) };
      else code[key] = emitCell(this.service.getProgram()!, this.host.path("__cell"), text);
    }
    return { code, failed };
  }

  commit(cell: number, committed: readonly string[]): void {
    const text = this.pending.get(cell);
    this.pending.delete(cell);
    if (text === undefined) return;
    const values = new Set(committed);
    const names = [...text.declared.values()].filter(({ name, kind }) => kind === "type" || values.has(name));
    if (names.length === 0) return;
    const file = `__cell_${cell}`;
    this.host.write(file, text.text);
    for (const name of names) this.names.set(name.name, { ...name, file });
  }

  restore(cell: number, source: string, names: readonly string[]): void {
    this.pending.set(cell, cellText(parseMagics(source).code, this.names));
    this.commit(cell, names);
  }

  reset(): void {
    for (const { file } of this.names.values()) this.host.remove(file);
    this.names.clear();
    this.pending.clear();
    this.modules.reset();
  }

  complete(code: string, cursor: number): Readonly<Record<string, unknown>> {
    const place = { cursor, isOwn: (name: string) => this.host.isOwnName(name) };
    return completeMagic(code, cursor) ?? complete(this.service, this.scratch(code), this.host.path("__scratch"), place);
  }

  inspect(code: string, cursor: number, detail: number): Readonly<Record<string, unknown>> {
    return inspect(this.service, this.scratch(code), this.host.path("__scratch"), {
      cursor,
      detail,
      restore: (piece) => this.host.withComments(piece),
    });
  }

  isComplete(code: string): Readonly<Record<string, unknown>> {
    return isComplete(parseMagics(code).code, code);
  }

  /**
   * What is wrong with a cell. Where a callback sets `let resolve;`, TypeScript finds no type, and takes it for undefined: a cell without errors
   * in the other reading has none.
   */
  private errors(text: CellText): ts.Diagnostic[] {
    const find = (): ts.Diagnostic[] =>
      this.check(text).filter((found) => found.category === ts.DiagnosticCategory.Error && !isMissingType(found));
    const errors = find();
    if (errors.length === 0 || errors.some(isSyntaxError)) return errors;
    this.host.findTypes(false);
    const others = find();
    this.host.findTypes(true);
    return others.length === 0 ? [] : errors;
  }

  /** Puts a cell before the service and returns its errors. */
  private check(text: CellText): ts.Diagnostic[] {
    const path = this.host.path("__cell");
    this.host.write("__cell", text.text);
    const syntax = this.service.getSyntacticDiagnostics(path);
    return syntax.length > 0 ? syntax : this.service.getSemanticDiagnostics(path).map((diagnostic) => asConstant(diagnostic, text));
  }

  private scratch(source: string): CellText {
    const text = cellText(parseMagics(source).code, this.names, true);
    this.host.write("__scratch", text.text);
    return text;
  }
}

/** A constant of an earlier cell is an import for TypeScript only, not for its reader. */
function asConstant(diagnostic: ts.Diagnostic, { text, imported }: CellText): ts.Diagnostic {
  const { code, start = 0, length = 0 } = diagnostic;
  const name = text.slice(start, start + length);
  if (code !== ASSIGNS_IMPORT || !imported.has(name)) return diagnostic;
  return { ...diagnostic, code: ASSIGNS_CONSTANT, messageText: `Cannot assign to '${name}' because it is a constant.` };
}

/** Numbers below 2000 are the parser's and the binder's; some of them are about modules only. */
function isSyntaxError({ code }: ts.Diagnostic): boolean {
  return code < 1200 || code === 2451 || code === 2300;
}
