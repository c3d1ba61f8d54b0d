import type { CellActions } from "../link/messages";

/** A cell whose magics were taken out. */
export interface ParsedMagics {
  /** As long as the source: magics became spaces, so that positions stay. */
  readonly code: string;
  readonly actions: CellActions;
  /** False after `%notypecheck`. */
  readonly check: boolean;
}

const HELP = `%time          run the cell and say how long it took
%timeit        run the cell several times and say how long one run takes
%engine NAME   what computes: auto, gpu, native, wasm or cpu
%env           list the environment; %env NAME=VALUE sets a variable
%notypecheck   run the cell even if it has type errors
%help          this text
`;

const MAGIC = /^[ \t]*%(?:%)?(\w+)[ \t]*/;
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
      begun ||= line.trim() !== "" && !line.trim().startsWith("//");
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
