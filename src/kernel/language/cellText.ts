import * as ts from "typescript";
import { type DeclaredName, declaredNames, mentionedNames } from "./names";

/** A name of the session, and the cell file that declares it. */
export interface SessionName extends DeclaredName {
  readonly file: string;
}

/** A cell as TypeScript sees it: a module that imports what it uses of earlier cells and exports all that it declares. */
export interface CellText {
  /** `prefix`, the person's code, and an export statement. */
  readonly text: string;
  /** Length of the generated first line; the code begins here. */
  readonly offset: number;
  readonly code: string;
  readonly declared: ReadonlyMap<string, DeclaredName>;
  /** Session names that are imported, thus resolved at run time through the session. */
  readonly imported: ReadonlySet<string>;
}

/**
 * Wraps the code of a cell.
 * @param names All names of the session.
 * @param everything Imports all names, mentioned or not: for completion.
 */
export function cellText(code: string, names: ReadonlyMap<string, SessionName>, everything = false): CellText {
  const file = ts.createSourceFile("cell.ts", code, ts.ScriptTarget.ES2022, true);
  const declared = declaredNames(file);
  const candidates = everything ? names.keys() : mentionedNames(file);
  const imported = new Set([...candidates].filter((name) => names.has(name) && !declared.has(name)));
  const imports = [...imported].map((name) => importOf(names.get(name)!));
  const exports = [...declared.values()].filter(({ exported }) => !exported).map(({ name }) => name);
  const prefix = `${imports.join("")}\n`;
  return { text: `${prefix}${code}\n;export { ${exports.join(", ")} };`, offset: prefix.length, code, declared, imported };
}

/** An import binding can't be assigned, so a variable comes as a declaration of the same type. */
function importOf({ name, kind, file }: SessionName): string {
  const from = JSON.stringify(`./${file}`);
  return kind === "variable" ? `declare let ${name}: typeof import(${from}).${name};` : `import { ${name} } from ${from};`;
}
