import * as ts from "typescript";
import { type CellHost, fileVersion } from "./cellHost";
import { moduleOptions } from "./compilerOptions";
import { interruptible, RUNTIME } from "./interruptible";
import type { CompiledModule } from "../link/messages";

/**
 * The person's own files that cells import, TypeScript and JavaScript: compiled here, because the child has no compiler. Of a JSON file the
 * child only needs to hear that it has changed; a JavaScript file that awaits at its top stays an ES module, which nobody can load anew.
 */
export class LocalModules {
  private readonly handedOver = new Map<string, string>();

  constructor(private readonly host: CellHost) {}

  /** Modules of the program that are new or were edited since the last call. */
  changed(program: ts.Program): CompiledModule[] {
    return this.filesOf(program).flatMap((file) => {
      const { fileName: path, text } = file;
      const version = fileVersion(path);
      if (this.handedOver.get(path) === version) return [];
      this.handedOver.set(path, version);
      if (path.endsWith(".json")) return [{ path, version, javascript: "", sourceMap: "" }];
      return path.endsWith("js") && awaitsAtTop(file) ? [] : [{ path, version, ...compileModule(path, text) }];
    });
  }

  /** The first of the person's TypeScript files in the program that is no TypeScript, with what is wrong in it. */
  broken(program: ts.Program): { readonly file: ts.SourceFile; readonly errors: readonly ts.Diagnostic[] } | undefined {
    for (const file of this.filesOf(program)) {
      if (!/\.[cm]?ts$/.test(file.fileName)) continue;
      const errors = program.getSyntacticDiagnostics(file);
      if (errors.length > 0) return { file, errors };
    }
    return undefined;
  }

  reset(): void {
    this.handedOver.clear();
  }

  private filesOf(program: ts.Program): ts.SourceFile[] {
    return program.getSourceFiles().filter((file) => isLocal(file) && !this.host.isVirtual(file.fileName));
  }
}

/** Compiles one file to CommonJS that can be interrupted. */
export function compileModule(path: string, text: string): { javascript: string; sourceMap: string } {
  // A script in JavaScript is as strict as it says itself.
  const compilerOptions = { ...moduleOptions(), alwaysStrict: !/\.c?js$/.test(path) };
  const options = { fileName: path, compilerOptions, transformers: { before: [interruptible, ownMeta] } };
  const { outputText, sourceMapText } = ts.transpileModule(text, options);
  return { javascript: outputText.replace(/\n\/\/# sourceMappingURL=.*\s*$/, ""), sourceMap: sourceMapText ?? "" };
}

function isLocal({ fileName, isDeclarationFile }: ts.SourceFile): boolean {
  return !isDeclarationFile && /\.([cm]?ts|c?js|json)$/.test(fileName) && !fileName.includes("/node_modules/");
}

/** `import.meta`, which CommonJS lacks, becomes a constant that the loader defines. */
function ownMeta(context: ts.TransformationContext): (file: ts.SourceFile) => ts.SourceFile {
  const visit = (node: ts.Node): ts.Node =>
    ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword
      ? context.factory.createIdentifier(RUNTIME.meta)
      : ts.visitEachChild(node, visit, context);
  return (file) => ts.visitEachChild(file, visit, context);
}

function awaitsAtTop(node: ts.Node): boolean {
  if (ts.isFunctionLike(node)) return false;
  const awaits = ts.isAwaitExpression(node) || (ts.isForOfStatement(node) && node.awaitModifier !== undefined);
  return awaits || ts.forEachChild(node, (child) => awaitsAtTop(child) || undefined) === true;
}
