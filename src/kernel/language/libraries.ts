import { readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join } from "node:path";
import * as ts from "typescript";

/** TypeScript's declarations of the language's own objects and of Node, in one file. */
export interface Libraries {
  readonly path: string;
  readonly text: string;
  /** Paths of the scripts that went into it; a reference to one of them adds nothing. */
  readonly parts: ReadonlySet<string>;
  /** Names of what was a module file, such as `undici-types/agent`. */
  readonly modules: ReadonlySet<string>;
  /** Comments of the files, whose numbers stand in the text in their places: over half of it is comments, which TypeScript would have to read past. */
  readonly comments: readonly string[];
}

const REFERENCE = /^\/\/\/\s*<reference\s+(lib|path|no-default-lib)="([^"]+)"\s*\/>.*$/gm;
/** At the beginning of a line it can't be part of a string. */
const COMMENT = /^[ \t]*(\/\*\*[\s\S]*?\*\/)/gm;
const NUMBERED = /\/\*\*#(\d+)\*\//g;
const IS_MODULE = /^(?:import|export)\b/m;
/** Where a text names another module: `from "x"`, `import "x"`, `import("x")`, `require("x")`. */
const IMPORTED = /(\b(?:from|import|require)\s*\(?\s*)(["'])([^"'\n]+)\2/g;
/** A name under which scripts see a module; there are none here. */
const SCRIPT_NAME = /^export as namespace .*$/m;

/**
 * Joins files of declarations with all that they refer to and import; what was a module becomes a `declare module`. Each program looks at each of
 * its files, and merges what several say of one interface: as one file instead of some hundred and sixty, they cost a cell a third.
 */
export function joinLibraries(library: string, paths: readonly string[]): Libraries {
  const folder = dirname(ts.getDefaultLibFilePath({}));
  const libraryPath = (name: string): string => join(folder, `lib.${name}.d.ts`);
  const parts = new Set<string>();
  const modules = new Set<string>();
  const seen = new Set<string>();
  const texts: string[] = [];
  const comments: string[] = [];
  const add = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    const text = readFileSync(path, "utf8");
    for (const [, kind, name] of text.matchAll(REFERENCE))
      if (kind !== "no-default-lib") add(kind === "lib" ? libraryPath(name!) : join(dirname(path), name!));
    const own = text
      .replace(REFERENCE, "")
      .replace(COMMENT, (_, comment: string) => `/**#${comments.push(comment) - 1}*/`)
      .replace(IMPORTED, (whole, before: string, quote: string, specifier: string) => {
        const file = declarationsOf(specifier, path);
        if (file === undefined) return whole;
        add(file);
        return `${before}${quote}${moduleName(file)}${quote}`;
      });
    if (!IS_MODULE.test(text)) {
      parts.add(path);
      texts.push(own);
    } else {
      const name = moduleName(path);
      modules.add(name);
      texts.push(`declare module "${name}" {\n${own.replace(SCRIPT_NAME, "")}\n}`);
    }
  };
  for (const path of [libraryPath(library), ...paths]) add(path);
  return { path: libraryPath("damlab-kernel"), text: texts.join("\n"), parts, modules, comments };
}

/** The file of declarations that a module's name means in a file; undefined if there is none, or the name is declared in a script. */
function declarationsOf(specifier: string, from: string): string | undefined {
  if (isBuiltin(specifier)) return undefined;
  const found = ts.resolveModuleName(specifier, from, { moduleResolution: ts.ModuleResolutionKind.Bundler }, ts.sys).resolvedModule;
  return found?.extension === ts.Extension.Dts ? found.resolvedFileName : undefined;
}

/** What an importer would write, such as `undici-types/agent`; relative names are not allowed for `declare module`. */
function moduleName(path: string): string {
  const inPackage = path.slice(path.lastIndexOf("/node_modules/") + "/node_modules/".length);
  return inPackage.replace(/(?:\/index)?\.d\.ts$/, "");
}

/** A piece of the joined text with its comments. */
export function withComments(text: string, { comments }: Pick<Libraries, "comments">): string {
  return text.replace(NUMBERED, (numbered, index: string) => comments[Number(index)] ?? numbered);
}
