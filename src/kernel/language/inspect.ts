import * as ts from "typescript";
import type { CellText } from "./cellText";
import { libraryComment } from "./documents";
import { toUtf16 } from "./offsets";

/**
 * Content of `inspect_reply`: type and documentation of what is at the cursor, or of the function whose arguments it is among.
 * @param restore Gives a piece of a library's text with its comments.
 */
export function inspect(
  service: ts.LanguageService,
  { code, offset }: CellText,
  path: string,
  { cursor, detail, restore }: { cursor: number; detail: number; restore: (piece: string) => string },
): Readonly<Record<string, unknown>> {
  const at = toUtf16(code, cursor);
  const info =
    service.getQuickInfoAtPosition(path, at + offset) ?? (at > 0 ? service.getQuickInfoAtPosition(path, at + offset - 1) : undefined);
  const described = info === undefined ? callAt(service, path, at + offset) : describe(info.displayParts, info.documentation, info.tags);
  // An unknown name is of type any.
  if (described === undefined || described.signature === "any") return { status: "ok", found: false, data: {}, metadata: {} };
  const definition = definitionAt(service, path, at + offset);
  const source = detail > 0 && definition !== undefined ? restore(definition.text.slice(definition.start, definition.end)) : "";
  const { signature } = described;
  const documentation =
    described.documentation || (definition === undefined ? "" : libraryComment(definition.text, definition.start, restore));
  const plain = [signature, documentation, source].filter((part) => part !== "").join("\n\n");
  const fenced = (text: string): string => `\`\`\`typescript\n${text}\n\`\`\``;
  const markdown = [fenced(signature), documentation, ...(source === "" ? [] : [fenced(source)])]
    .filter((part) => part !== "")
    .join("\n\n");
  return { status: "ok", found: true, data: { "text/plain": plain, "text/markdown": markdown }, metadata: {} };
}

interface Description {
  readonly signature: string;
  readonly documentation: string;
}

type Parts = ts.SymbolDisplayPart[] | undefined;

function describe(display: Parts, documentation: Parts, tags: ts.JSDocTagInfo[] | undefined): Description {
  const tagged = (tags ?? []).map(({ name, text }) => `@${name} ${ts.displayPartsToString(text)}`.trimEnd());
  return { signature: shownSignature(display), documentation: [ts.displayPartsToString(documentation), ...tagged].join("\n").trim() };
}

/** Names of earlier cells are imported behind the scenes; nobody wants to read that. */
export function shownSignature(display: Parts): string {
  return ts
    .displayPartsToString(display)
    .replace(/^\(alias\) /, "")
    .replace(/\nimport [\p{ID_Continue}$]+$/u, "");
}

function callAt(service: ts.LanguageService, path: string, position: number): Description | undefined {
  const help = service.getSignatureHelpItems(path, position, undefined);
  const item = help?.items[help.selectedItemIndex];
  if (item === undefined) return undefined;
  const parameters = item.parameters.map((parameter) => ts.displayPartsToString(parameter.displayParts));
  const separator = ts.displayPartsToString(item.separatorDisplayParts);
  const signature = `${ts.displayPartsToString(item.prefixDisplayParts)}${parameters.join(separator)}${ts.displayPartsToString(item.suffixDisplayParts)}`;
  return describe([{ kind: "text", text: signature }], item.documentation, item.tags);
}

/** Where what is at (or just before) a position is declared. */
function definitionAt(
  service: ts.LanguageService,
  path: string,
  position: number,
): { text: string; start: number; end: number } | undefined {
  const definition = [position, position - 1]
    .map((at) => service.getDefinitionAtPosition(path, at)?.[0])
    .find((found) => found !== undefined);
  const file = definition && service.getProgram()?.getSourceFile(definition.fileName);
  const span = definition?.contextSpan ?? definition?.textSpan;
  return file && span && { text: file.text, start: span.start, end: span.start + span.length };
}
