import type * as ts from "typescript";
import type { CellText } from "./cellText";
import { shownSignature } from "./inspect";
import { toCodePoint, toUtf16 } from "./offsets";

/** So many matches get their signature, which costs time. */
const DETAILED_MATCHES = 25;

/** Where completion was asked for. */
interface CompletionPlace {
  /** In code points. */
  readonly cursor: number;
  /** Names that are no matches, because only the kernel has them. */
  isOwn(name: string): boolean;
}

/** Content of `complete_reply`: what may stand at the cursor, best first. */
export function complete(
  service: ts.LanguageService,
  { code, offset }: CellText,
  path: string,
  { cursor, isOwn }: CompletionPlace,
): Readonly<Record<string, unknown>> {
  const at = toUtf16(code, cursor);
  const begin = at - /[\p{ID_Continue}$]*$/u.exec(code.slice(0, at))![0].length;
  const typed = code.slice(begin, at).toLowerCase();
  const found = service.getCompletionsAtPosition(path, at + offset, {
    includeCompletionsWithInsertText: false,
    includeCompletionsForModuleExports: false,
  });
  // A path or a name in quotes is replaced as a whole.
  const typedFor = ({ replacementSpan }: ts.CompletionEntry): string =>
    replacementSpan === undefined ? typed : code.slice(replacementSpan.start - offset, at).toLowerCase();
  const entries = (found?.entries ?? [])
    .filter((entry) => entry.name.toLowerCase().startsWith(typedFor(entry)) && !isOwn(entry.name))
    .sort(
      (a, b) =>
        Number(b.name.startsWith(code.slice(begin, at))) - Number(a.name.startsWith(code.slice(begin, at))) ||
        compare(a.sortText, b.sortText) ||
        compare(a.name, b.name),
    );
  const span = entries.find(({ replacementSpan }) => replacementSpan !== undefined)?.replacementSpan;
  const start = toCodePoint(code, span === undefined ? begin : span.start - offset);
  const end = toCodePoint(code, span === undefined ? at : span.start + span.length - offset);
  const types = entries.map(({ name, kind }, index) => {
    const signature = index < DETAILED_MATCHES ? signatureOf(service, path, at + offset, name) : undefined;
    return {
      text: name,
      type: kind === "alias" ? (aliased(signature) ?? kind) : kind,
      start,
      end,
      ...(signature !== undefined && { signature }),
    };
  });
  return {
    status: "ok",
    matches: [...new Set(entries.map(({ name }) => name))],
    cursor_start: start,
    cursor_end: end,
    metadata: { _jupyter_types_experimental: types },
  };
}

function signatureOf(service: ts.LanguageService, path: string, position: number, name: string): string | undefined {
  const details = service.getCompletionEntryDetails(path, position, name, undefined, undefined, undefined, undefined);
  return details === undefined ? undefined : shownSignature(details.displayParts);
}

/** What a name of an earlier cell is: it is imported behind the scenes, so its kind is but that of an import. */
function aliased(signature: string | undefined): string | undefined {
  return /^(?:(?:abstract|declare) )?(class|const|enum|function|interface|namespace|type|var|let)\b/.exec(signature ?? "")?.[1];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
