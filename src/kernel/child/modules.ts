import { statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { constants, Script } from "node:vm";
import { registerSource } from "./errors";
import { tslabModule } from "../tslabApi";
import type { CompiledModule } from "../link/messages";

interface CompilingModule extends NodeModule {
  _compile(code: string, path: string): void;
}

/** Errors with which `require` refuses what `import()` can load. */
const ESM_ONLY = new Set(["ERR_REQUIRE_ESM", "ERR_REQUIRE_ASYNC_MODULE", "ERR_PACKAGE_PATH_NOT_EXPORTED"]);

/** Global under which compiled modules find the runtime that cells get as parameters. */
const RUNTIME = Symbol.for("damlab.kernel.runtime");

/** Loads what cells import: CommonJS, ES modules, and the person's own TypeScript files, which the wire has compiled. */
export class ModuleLoader {
  readonly filename: string;
  readonly dirname: string;
  readonly require: NodeRequire;
  readonly meta: object;
  private readonly compiled = new Map<string, CompiledModule>();
  private readonly tslab = tslabModule(typescriptVersion());
  private readonly fallback = createRequire(__filename);
  private readonly importFrom: (specifier: string) => Promise<Record<string, unknown>>;

  constructor(cwd: string, runtime: { flag: Int32Array; cell: object }) {
    this.dirname = cwd;
    this.filename = join(cwd, "notebook.ts");
    this.require = createRequire(this.filename);
    this.meta = metaOf(this.filename);
    (globalThis as Record<symbol, unknown>)[RUNTIME] = { ...runtime, metaOf };
    const options = { filename: this.filename, importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER };
    this.importFrom = new Script("(specifier) => import(specifier)", options).runInThisContext() as typeof this.importFrom;
    const { extensions } = this.require;
    extensions[".ts"] = (module, path) => this.compileLocal(module as CompilingModule, path);
    const ownJavascript = extensions[".js"]!;
    extensions[".js"] = (module, path) =>
      this.compiled.has(path) ? this.compileLocal(module as CompilingModule, path) : ownJavascript(module, path);
    for (const suffix of [".mts", ".cts", ".cjs"])
      extensions[suffix] = (module, path) => extensions[suffix === ".cjs" ? ".js" : ".ts"]!(module, path);
  }

  /** Takes over newly compiled modules; what was loaded from their former versions, or imports it, is loaded anew when asked for. */
  update(modules: readonly CompiledModule[]): void {
    for (const module of modules) this.compiled.set(module.path, module);
    const stale = new Set(modules.map(({ path }) => path).filter((path) => path in this.require.cache));
    for (let before = -1; before !== stale.size;) {
      before = stale.size;
      for (const module of Object.values(this.require.cache))
        if (module !== undefined && module.children.some(({ id }) => stale.has(id)) && !module.id.includes("/node_modules/"))
          stale.add(module.id);
    }
    for (const path of stale) delete this.require.cache[path];
  }

  /** What `import * as x from specifier` binds. */
  async load(specifier: string): Promise<Record<string, unknown>> {
    if (typeof specifier !== "string" || /^(file|data|https?):/.test(specifier)) return this.importFrom(String(specifier));
    if (specifier === "tslab") return this.tslab as unknown as Record<string, unknown>;
    const path = this.resolve(specifier);
    if (path === undefined) return this.importFrom(specifier);
    if (extname(path) === ".mjs") return this.importFrom(moduleUrl(path));
    try {
      return namespaceOf(this.require(path));
    } catch (error) {
      if (!ESM_ONLY.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
      return this.importFrom(moduleUrl(path));
    }
  }

  /** Where `require` would find it; undefined if only `import()` may know. */
  private resolve(specifier: string): string | undefined {
    if (specifier.startsWith(".")) {
      const path = resolve(this.dirname, specifier);
      const candidates = [path, path.replace(/\.([cm]?)js$/, ".$1ts"), `${path}.ts`, join(path, "index.ts")];
      const local = candidates.find((candidate) => this.compiled.has(candidate));
      if (local !== undefined) return local;
    }
    for (const require of [this.require, this.fallback]) {
      try {
        return require.resolve(specifier);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") return undefined;
      }
    }
    return undefined;
  }

  private compileLocal(module: CompilingModule, path: string): void {
    const { javascript, sourceMap } = this.compiled.get(path) ?? compileNow(path);
    registerSource(path, { name: path, sourceMap, source: "", offset: 0 });
    const runtime = 'globalThis[Symbol.for("damlab.kernel.runtime")]';
    const header = `const { cell: $cell$, flag: $flag$ } = ${runtime}, $meta$ = ${runtime}.metaOf(__filename);`;
    module._compile(`${header} ${javascript}`, path);
  }
}

/** `import.meta` of a file. */
function metaOf(filename: string): object {
  const { resolve } = createRequire(filename);
  return {
    url: pathToFileURL(filename).href,
    filename,
    dirname: dirname(filename),
    resolve: (specifier: string) => pathToFileURL(resolve(specifier)).href,
  };
}

/** URL of an ES module; one of the person's own is another one whenever it has changed, because Node loads each URL once. */
function moduleUrl(path: string): string {
  const version = path.includes(`${sep}node_modules${sep}`) ? "" : `?${statSync(path).mtimeMs}`;
  return `${pathToFileURL(path).href}${version}`;
}

function typescriptVersion(): string {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return (require("typescript/package.json") as { version: string }).version;
}

/** A file that no import names literally was not compiled with a cell; the compiler is loaded for it. */
function compileNow(path: string): { javascript: string; sourceMap: string } {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { compileFile } = require("../language/compileFile") as typeof import("../language/compileFile");
  return compileFile(path);
}

/** A CommonJS module as a namespace: `default` is its default export if it was an ES module once, else all of it. */
function namespaceOf(exported: unknown): Record<string, unknown> {
  if (typeof exported !== "object" && typeof exported !== "function") return { default: exported };
  const module = exported as Record<string, unknown>;
  if (module === null || module.__esModule === true || Object.prototype.toString.call(module) === "[object Module]") return module;
  return new Proxy(module, {
    get: (target, name) => (name === "default" && !("default" in target) ? target : Reflect.get(target, name)),
    has: (target, name) => name === "default" || name in target,
  });
}
