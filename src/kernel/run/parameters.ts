import { type Notebook, type NotebookCell, sourceOf, toLines } from "./notebook";

/** Values by name; they become variables of the notebook. */
export type NotebookParameters = Readonly<Record<string, unknown>>;

const NAME = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

/**
 * Puts parameters into a notebook as papermill does: in a cell tagged `injected-parameters`, in place of such a cell, else after the one tagged
 * `parameters`, else at the top.
 * @returns The names that the cell tagged `parameters` does not mention; they are set all the same.
 * @throws {RangeError} if a name is no name of a variable.
 */
export function injectParameters(notebook: Notebook, parameters: NotebookParameters): string[] {
  const names = Object.keys(parameters);
  if (names.length === 0) return [];
  const declared = notebook.cells.find((cell) => hasTag(cell, "parameters"));
  for (const name of names) if (!NAME.test(name)) throw new RangeError(`Cannot set parameter "${name}": expected the name of a variable`);
  const mentioned = declared === undefined ? names : (sourceOf(declared).match(/[\p{ID_Continue}$]+/gu) ?? []);
  const code = ["// Parameters", ...names.map((name) => `let ${name} = ${JSON.stringify(parameters[name])};`)].join("\n");
  const injected: NotebookCell = {
    id: "injected-parameters",
    cell_type: "code",
    source: toLines(code),
    metadata: { tags: ["injected-parameters"] },
    outputs: [],
    execution_count: null,
  };
  const former = notebook.cells.findIndex((cell) => hasTag(cell, "injected-parameters"));
  if (former >= 0) notebook.cells.splice(former, 1, injected);
  else notebook.cells.splice(declared === undefined ? 0 : notebook.cells.indexOf(declared) + 1, 0, injected);
  return names.filter((name) => !mentioned.includes(name));
}

/**
 * The parameters of a notebook's short run: those that its metadata name under `damlab.short`, else `short = true` where its parameters cell
 * declares `short`.
 */
export function shortParameters(notebook: Notebook): NotebookParameters {
  const { short } = (notebook.metadata.damlab ?? {}) as { short?: NotebookParameters };
  if (short !== undefined) return short;
  const declared = notebook.cells.find((cell) => hasTag(cell, "parameters"));
  return declared !== undefined && /\b(?:let|const|var)\s+short\b/.test(sourceOf(declared)) ? { short: true } : {};
}

function hasTag({ metadata }: NotebookCell, tag: string): boolean {
  return Array.isArray(metadata.tags) && metadata.tags.includes(tag);
}
