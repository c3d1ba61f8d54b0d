import * as ts from "typescript";
import { type CellHost, fileVersion } from "./cellHost";
import { moduleOptions } from "./compilerOptions";
import { interruptible } from "./interruptible";
import type { CompiledModule } from "../link/messages";

/** The person's own TypeScript files that cells import: compiled here, because the child has no compiler. */
export class LocalModules {
  private readonly handedOver = new Map<string, string>();

  constructor(private readonly host: CellHost) {}

  /** Modules of the program that are new or were edited since the last call. */
  changed(program: ts.Program): CompiledModule[] {
    const files = program.getSourceFiles().filter((file) => isLocal(file) && !this.host.isVirtual(file.fileName));
    return files.flatMap(({ fileName: path, text }) => {
      const version = fileVersion(path);
      if (this.handedOver.get(path) === version) return [];
      this.handedOver.set(path, version);
      return [{ path, version, ...compileModule(path, text) }];
    });
  }

  reset(): void {
    this.handedOver.clear();
  }
}

/** Compiles one TypeScript file to CommonJS that can be interrupted. */
export function compileModule(path: string, text: string): { javascript: string; sourceMap: string } {
  const options = { fileName: path, compilerOptions: moduleOptions(), transformers: { before: [interruptible] } };
  const { outputText, sourceMapText } = ts.transpileModule(text, options);
  return { javascript: outputText.replace(/\n\/\/# sourceMappingURL=.*\s*$/, ""), sourceMap: sourceMapText ?? "" };
}

function isLocal({ fileName, isDeclarationFile }: ts.SourceFile): boolean {
  return !isDeclarationFile && /\.[cm]?ts$/.test(fileName) && !fileName.includes("/node_modules/");
}
