/** @file The type check of the notebooks' code, as damlab's own kernel makes it: strict. (Stock tslab's is not.) */
import { join } from "node:path";
import ts from "typescript";
import { compilerOptions } from "../../src/kernel/language/compilerOptions";
import { type Notebook, sourceOf } from "../../src/kernel/run/notebook";
import { codeCells } from "./checks";

/**
 * What TypeScript says against the notebooks' code, each taken as one module.
 * @param notebooks By their path below `folder`.
 * @returns By path; only notebooks with faults.
 */
export function faultsOfTypes(notebooks: Readonly<Record<string, Notebook>>, folder: string): Record<string, string[]> {
  const texts = new Map(
    Object.entries(notebooks).map(([name, notebook]) => {
      const text = codeCells(notebook).map(sourceOf).join("\n;\n");
      return [join(folder, name.replace(/\.ipynb$/, ".check.ts")), { name, text: `${text}\nexport {};` }];
    }),
  );
  const options = compilerOptions();
  const host = ts.createCompilerHost(options);
  const { fileExists, getSourceFile } = host;
  host.fileExists = (file) => texts.has(file) || fileExists(file);
  host.getSourceFile = (file, version, ...rest) => {
    const own = texts.get(file);
    return own === undefined ? getSourceFile(file, version, ...rest) : ts.createSourceFile(file, own.text, version);
  };
  const program = ts.createProgram([...texts.keys()], options, host);
  const faults = [...texts].map(([file, { name }]): [string, string[]] => {
    const source = program.getSourceFile(file)!;
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return [name, found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, " "))];
  });
  return Object.fromEntries(faults.filter(([, found]) => found.length > 0));
}
