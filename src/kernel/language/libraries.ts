import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as ts from "typescript";

/** TypeScript's declarations of the language's own objects and of Node, in one file. */
export interface Libraries {
  readonly path: string;
  readonly text: string;
  /** Paths of the files that went into it; a reference to one of them adds nothing. */
  readonly parts: ReadonlySet<string>;
  /** Comments of the files, whose numbers stand in the text in their places: over half of it is comments, which TypeScript would have to read past. */
  readonly comments: readonly string[];
}

const REFERENCE = /^\/\/\/\s*<reference\s+(lib|path|no-default-lib)="([^"]+)"\s*\/>.*$/gm;
/** At the beginning of a line it can't be part of a string. */
const COMMENT = /^[ \t]*(\/\*\*[\s\S]*?\*\/)/gm;
const NUMBERED = /\/\*\*#(\d+)\*\//g;
const IS_MODULE = /^(?:import|export)\b/m;

/**
 * Joins files of declarations with all that they refer to; modules, whose names are their own, stay files. Each program looks at each of its files,
 * and merges what several say of one interface: as one file instead of some hundred and twenty, they cost a cell half as much.
 */
export function joinLibraries(library: string, paths: readonly string[]): Libraries {
  const folder = dirname(ts.getDefaultLibFilePath({}));
  const libraryPath = (name: string): string => join(folder, `lib.${name}.d.ts`);
  const parts = new Set<string>();
  const modules: string[] = [];
  const texts: string[] = [];
  const comments: string[] = [];
  const add = (path: string): void => {
    if (parts.has(path)) return;
    const text = readFileSync(path, "utf8");
    if (IS_MODULE.test(text)) return void modules.push(`/// <reference path=${JSON.stringify(path)} />`);
    parts.add(path);
    for (const [, kind, name] of text.matchAll(REFERENCE))
      if (kind !== "no-default-lib") add(kind === "lib" ? libraryPath(name!) : join(dirname(path), name!));
    texts.push(text.replace(REFERENCE, "").replace(COMMENT, (_, comment: string) => `/**#${comments.push(comment) - 1}*/`));
  };
  for (const path of [libraryPath(library), ...paths]) add(path);
  return { path: libraryPath("damlab-kernel"), text: [...modules, ...texts].join("\n"), parts, comments };
}

/** A piece of the joined text with its comments. */
export function withComments(text: string, { comments }: Pick<Libraries, "comments">): string {
  return text.replace(NUMBERED, (numbered, index: string) => comments[Number(index)] ?? numbered);
}
