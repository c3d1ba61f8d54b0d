import * as ts from "typescript";

/**
 * Parsed files of a language service. In libraries, comments are left out, which saves a quarter of the start's time and memory; where one is
 * wanted, `libraryComment` reads it.
 */
export function documentRegistry(cwd: string): ts.DocumentRegistry {
  const libraries = registryWith(ts.JSDocParsingMode.ParseNone, cwd);
  const own = registryWith(ts.JSDocParsingMode.ParseAll, cwd);
  const registryOf = (fileName: string): Registry => (fileName.includes("/node_modules/") ? libraries : own);
  const names = [
    "acquireDocument",
    "acquireDocumentWithKey",
    "updateDocument",
    "updateDocumentWithKey",
    "releaseDocument",
    "releaseDocumentWithKey",
  ];
  const methods = names.map((name) => [name, (fileName: string, ...rest: unknown[]) => registryOf(fileName)[name]!(fileName, ...rest)]);
  return { ...own, ...Object.fromEntries(methods) } as unknown as ts.DocumentRegistry;
}

type Registry = Readonly<Record<string, (...parameters: unknown[]) => unknown>>;

/** A registry that parses comments its own way, whatever its caller asks for (TypeScript asserts that both want the same). */
function registryWith(jsDocParsingMode: ts.JSDocParsingMode, cwd: string): Registry {
  const registry = ts.createDocumentRegistry(true, cwd, jsDocParsingMode) as unknown as Registry;
  const withMode =
    (method: string) =>
    (...parameters: unknown[]) => {
      const options = parameters.at(-1);
      const last = typeof options === "object" && options !== null ? { ...options, jsDocParsingMode } : options;
      return registry[method]!(...parameters.slice(0, -1), last);
    };
  const methods = ["acquireDocument", "acquireDocumentWithKey", "updateDocument", "updateDocumentWithKey"];
  return { ...registry, ...Object.fromEntries(methods.map((method) => [method, withMode(method)])) };
}

/**
 * The documentation before a declaration: its text, then a line for each tag. Empty if there is none.
 * @param restore Gives a piece of the text with its comments.
 */
export function libraryComment(text: string, start: number, restore: (piece: string) => string): string {
  const before = text.slice(0, start).trimEnd();
  if (!before.endsWith("*/")) return "";
  const comment = restore(before.slice(before.lastIndexOf("/**")));
  const file = ts.createSourceFile("comment.ts", `${comment}\nlet x;`, ts.ScriptTarget.ES2022, true);
  const parts = ts.getJSDocCommentsAndTags(file.statements[0]!).flatMap((part) => {
    if (!ts.isJSDoc(part)) return [];
    const tags = (part.tags ?? []).map((tag) => {
      const name = ts.isJSDocParameterTag(tag) ? ` ${tag.name.getText()}` : "";
      return `@${tag.tagName.text}${name} ${ts.getTextOfJSDocComment(tag.comment) ?? ""}`.trimEnd();
    });
    return [ts.getTextOfJSDocComment(part.comment) ?? "", ...tags];
  });
  return parts.join("\n").trim();
}
