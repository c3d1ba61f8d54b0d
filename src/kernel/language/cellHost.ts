import { statSync } from "node:fs";
import { dirname, join } from "node:path";
import * as ts from "typescript";
import { compilerOptions } from "./compilerOptions";
import { GLOBALS } from "./globals";
import { joinLibraries, type Libraries, withComments } from "./libraries";

/** This package, whose own modules (and TypeScript's types of Node) resolve from any folder. */
const packageFolder = join(__dirname, "..", "..", "..");

interface VirtualFile {
  readonly version: number;
  readonly snapshot: ts.IScriptSnapshot;
}

/** What TypeScript's language service sees: the files on disk, and in the notebook's folder one virtual file a cell. */
export class CellHost implements ts.LanguageServiceHost {
  private readonly files = new Map<string, VirtualFile>();
  private readonly snapshots = new Map<string, { version: string; snapshot: ts.IScriptSnapshot }>();
  private options: ts.CompilerOptions;
  private readonly roots: string[];
  private readonly libraries: Libraries;
  private versions = 0;
  /** What is known of packages; for libraries only, because the person may install what a cell has missed. */
  private readonly resolutions: ts.ModuleResolutionCache;

  constructor(private readonly cwd: string) {
    this.options = compilerOptions();
    this.resolutions = ts.createModuleResolutionCache(cwd, (path) => path, this.options);
    this.libraries = joinLibraries("es2023", nodeTypes(cwd));
    this.roots = [this.path("__globals"), this.path("__cell"), this.path("__scratch")];
    this.write("__globals", GLOBALS);
    this.write("__cell", "export {};");
    this.write("__scratch", "export {};");
  }

  /** Path of a virtual file. */
  path(name: string): string {
    return join(this.cwd, `${name}.ts`);
  }

  write(name: string, text: string): void {
    this.files.set(this.path(name), { version: ++this.versions, snapshot: ts.ScriptSnapshot.fromString(text) });
  }

  remove(name: string): void {
    this.files.delete(this.path(name));
  }

  /** Whether variables without a type get one from what is put there (`noImplicitAny`); else they are of type any. */
  findTypes(noImplicitAny: boolean): void {
    this.options = { ...this.options, noImplicitAny };
  }

  isVirtual(path: string): boolean {
    return this.files.has(path);
  }

  /** A text that changes when a file of the person's changes; libraries are taken as they were first seen. */
  getScriptVersion(path: string): string {
    const virtual = this.files.get(path);
    if (virtual !== undefined) return String(virtual.version);
    return path.includes("/node_modules/") ? "1" : fileVersion(path);
  }

  getScriptSnapshot(path: string): ts.IScriptSnapshot | undefined {
    const virtual = this.files.get(path);
    if (virtual !== undefined) return virtual.snapshot;
    const version = this.getScriptVersion(path);
    const known = this.snapshots.get(path);
    if (known?.version === version) return known.snapshot;
    const text = this.libraryText(path) ?? ts.sys.readFile(path);
    if (text === undefined) return undefined;
    const snapshot = ts.ScriptSnapshot.fromString(text);
    this.snapshots.set(path, { version, snapshot });
    return snapshot;
  }

  getScriptFileNames(): string[] {
    return this.roots;
  }

  getCompilationSettings(): ts.CompilerOptions {
    return this.options;
  }

  getCurrentDirectory(): string {
    return this.cwd;
  }

  getDefaultLibFileName(): string {
    return this.libraries.path;
  }

  fileExists(path: string): boolean {
    return this.files.has(path) || path === this.libraries.path || ts.sys.fileExists(path);
  }

  readFile(path: string): string | undefined {
    const virtual = this.files.get(path)?.snapshot;
    return virtual === undefined ? ts.sys.readFile(path) : virtual.getText(0, virtual.getLength());
  }

  directoryExists(path: string): boolean {
    return ts.sys.directoryExists(path);
  }

  getDirectories(path: string): string[] {
    return ts.sys.getDirectories(path);
  }

  readDirectory(...parameters: Parameters<typeof ts.sys.readDirectory>): string[] {
    return ts.sys.readDirectory(...parameters);
  }

  realpath(path: string): string {
    return this.files.has(path) ? path : ts.sys.realpath!(path);
  }

  /** Whether a name is of no use to the person: a cell's file, or a module that lies in the joined libraries. */
  isOwnName(name: string): boolean {
    return name.startsWith("__cell") || this.libraries.modules.has(name);
  }

  /** A piece of a library's text as its authors wrote it. */
  withComments(text: string): string {
    return withComments(text, this.libraries);
  }

  private libraryText(path: string): string | undefined {
    const { path: joined, text, parts } = this.libraries;
    return path === joined ? text : parts.has(path) ? "" : undefined;
  }

  /** Asked by TypeScript for each file of each program: without it, it reads every package.json again. */
  getModuleResolutionCache(): ts.ModuleResolutionCache {
    return this.resolutions;
  }

  /** What cannot be found from the notebook's folder is looked for from this package, so that `damlab` itself is always there. */
  resolveModuleNameLiterals(
    literals: readonly ts.StringLiteralLike[],
    containingFile: string,
    _redirect: ts.ResolvedProjectReference | undefined,
    options: ts.CompilerOptions,
  ): ts.ResolvedModuleWithFailedLookupLocations[] {
    // The joined libraries declare all modules that they name.
    if (containingFile === this.libraries.path)
      return literals.map(() => ({ resolvedModule: undefined, failedLookupLocations: [] }) as never);
    const isLibrary = containingFile.includes("/node_modules/");
    return literals.map(({ text }) => {
      if (isLibrary) return ts.resolveModuleName(text, containingFile, options, this, this.resolutions);
      const found = ts.resolveModuleName(text, containingFile, options, this);
      if (found.resolvedModule !== undefined || text.startsWith(".") || dirname(containingFile) !== this.cwd) return found;
      return ts.resolveModuleName(text, join(packageFolder, "cell.ts"), options, this);
    });
  }
}

/** Time and size of a file; empty if there is none. */
export function fileVersion(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? "" : `${stat.mtimeMs}/${stat.size}`;
}

/** Node's types as the notebook's folder has them, else this package's. */
function nodeTypes(cwd: string): string[] {
  const folders = [cwd, packageFolder].flatMap((start) => {
    try {
      return [dirname(require.resolve("@types/node/package.json", { paths: [start] }))];
    } catch {
      return [];
    }
  });
  return folders.slice(0, 1).map((folder) => join(folder, "index.d.ts"));
}
