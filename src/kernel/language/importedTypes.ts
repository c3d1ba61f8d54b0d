import * as ts from "typescript";
import type { CellText } from "./cellText";
import { importedNames } from "./names";

/** The cell with those of its imports declared as types that have no value; only the checker knows of `import { Options } from "./local"`. */
export function withImportedTypes(program: ts.Program, path: string, text: CellText): CellText {
  const checker = program.getTypeChecker();
  const imports = program.getSourceFile(path)!.statements.filter(ts.isImportDeclaration).flatMap(importedNames);
  const types = new Set(imports.filter(({ name }) => !isValue(checker, name)).map(({ name }) => name.text));
  const declared = [...text.declared].map(
    ([name, entry]) => [name, types.has(name) ? { ...entry, kind: "type" as const } : entry] as const,
  );
  return { ...text, declared: new Map(declared) };
}

/** Whether an import binds a value; also if nobody knows. */
export function isValue(checker: ts.TypeChecker, name: ts.Identifier): boolean {
  const symbol = checker.getSymbolAtLocation(name);
  const target = symbol === undefined || !(symbol.flags & ts.SymbolFlags.Alias) ? symbol : checker.getAliasedSymbol(symbol);
  return target === undefined || checker.isUnknownSymbol(target) || (target.flags & ts.SymbolFlags.Value) !== 0;
}
