import type * as ts from "typescript";
import type { CellText } from "./cellText";
import { interruptible, RUNTIME } from "./interruptible";
import { sessionScope, slotName } from "./sessionScope";
import type { CompiledCode } from "../link/messages";

/** Compiles a cell that was checked to the source of a function of the runtime's names, which returns the cell's async function. */
export function emitCell(program: ts.Program, path: string, text: CellText): CompiledCode {
  const file = program.getSourceFile(path)!;
  const output = new Map<string, string>();
  const write: ts.WriteFileCallback = (name, content) => void output.set(name.endsWith(".map") ? "map" : "js", content);
  const before = [sessionScope(program.getTypeChecker(), text), interruptible];
  program.emit(file, write, undefined, false, { before });
  const body = (output.get("js") ?? "").replace(/\n?\/\/# sourceMappingURL=.*\s*$/, "").replace(/(^|\n)(?:;\n)?export \{\s*\};\s*$/, "$1");
  // One line before the body, as the generated prefix is one line before the code.
  // Two functions: a cell may declare a `require` of its own.
  const parameters = `${RUNTIME.cell}, ${RUNTIME.flag}, require, __filename, __dirname`;
  const header = `(function (${parameters}) { "use strict"; return async () => { ${accessors(text)}\n`;
  return { javascript: `${header}${body}\n}; })`, sourceMap: output.get("map") ?? "", source: text.code };
}

/** Hands the session a way to read and to assign each name that the cell declares, and takes the slots of those that it uses. */
function accessors({ declared, imported }: CellText): string {
  const values = [...declared.values()].filter(({ kind }) => kind !== "type");
  const parts = values.map(({ name, kind }) => {
    const write = kind === "variable" ? `, ($value$) => { ${name} = $value$; }` : "";
    return `${name}: [() => ${name}${write}]`;
  });
  const slots = [...imported].map((name) => `const ${slotName(name)} = ${RUNTIME.cell}.slot("${name}");`);
  return `${RUNTIME.cell}.names({ ${parts.join(", ")} }); ${slots.join(" ")}`;
}
