import type { CellActions } from "../link/messages";
import { toCodePoint, toUtf16 } from "./offsets";

/** A cell whose magics were taken out. */
export interface ParsedMagics {
  /** As long as the source: magics became spaces, so that positions stay. */
  readonly code: string;
  readonly actions: CellActions;
  /** False after `%notypecheck`. */
  readonly check: boolean;
}

const ENGINES = ["auto", "gpu", "native", "wasm", "cpu"];

const HELP = `%time          run the cell and say how long it took
%timeit        run the cell several times and say how long one run takes
%engine NAME   what computes: ${ENGINES.slice(0, -1).join(", ")} or ${ENGINES.at(-1)}
%env           list the environment; %env NAME=VALUE sets a variable
%notypecheck   run the cell even if it has type errors
%help          this text
`;

const MAGIC = /^[ \t]*%(?:%)?(\w+)[ \t]*/;
const NAMES = [...HELP.matchAll(/^%(\w+)/gm)].map(([, name]) => name!);
const REST_IS_CODE = new Set(["time", "timeit", "notypecheck"]);

/**
 * Takes the magics from the lines at the top of a cell.
 * @throws Never; an unknown magic stays in the code, where the parser finds it.
 */
export function parseMagics(source: string): ParsedMagics {
  let actions: CellActions = {};
  let check = true;
  let begun = false;
  const lines = source.split("\n").map((line) => {
    const match = begun ? null : MAGIC.exec(line);
    if (match === null) {
      begun ||= !saysNothing(line);
      return line;
    }
    const [head, magic] = match as unknown as [string, string];
    const rest = line.slice(head.length).trim();
    const action = actionOf(magic, rest);
    if (action === undefined) return line;
    actions = { ...actions, ...action };
    if (magic === "notypecheck") check = false;
    return REST_IS_CODE.has(magic) ? " ".repeat(head.length) + line.slice(head.length) : " ".repeat(line.length);
  });
  return { code: lines.join("\n"), actions, check };
}

/** Content of `complete_reply` for a magic at the top of a cell, or the engine behind `%engine`; undefined where the cursor is in neither. */
export function completeMagic(source: string, cursor: number): Readonly<Record<string, unknown>> | undefined {
  const at = toUtf16(source, cursor);
  const lines = source.slice(0, at).split("\n");
  const line = lines.pop()!;
  const onlyMagics = lines.every((above) => saysNothing(above) || MAGIC.test(above));
  const [, engine, magic] = /^[ \t]*%(?:%)?(?:engine[ \t]+(\w*)|(\w*))$/.exec(line) ?? [];
  const typed = engine ?? magic;
  if (!onlyMagics || typed === undefined) return undefined;
  const matches = (engine === undefined ? NAMES : ENGINES).filter((name) => name.startsWith(typed));
  const [start, end] = [toCodePoint(source, at - typed.length), toCodePoint(source, at)];
  const types = matches.map((text) => ({ text, type: "magic", start, end }));
  return { status: "ok", matches, cursor_start: start, cursor_end: end, metadata: { _jupyter_types_experimental: types } };
}

/** Whether a line is empty or a comment. */
function saysNothing(line: string): boolean {
  return line.trim() === "" || line.trim().startsWith("//");
}

function actionOf(magic: string, rest: string): CellActions | undefined {
  switch (magic) {
    case "time":
      return { time: true };
    case "timeit":
      return { timeit: true };
    case "engine":
      return { engine: rest };
    case "env": {
      const [name, ...value] = rest.split("=");
      return rest === "" ? { listEnvironment: true } : { environment: { [name!.trim()]: value.join("=").trim() } };
    }
    case "notypecheck":
      return {};
    case "help":
      return { show: HELP };
    default:
      return undefined;
  }
}
