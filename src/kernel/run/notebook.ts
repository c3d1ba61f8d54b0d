import { createHash } from "node:crypto";

/** An output of a cell, as nbformat 4 keeps it. */
export type NotebookOutput = Readonly<Record<string, unknown>> & { readonly output_type: string };

/** A cell of nbformat 4. */
export interface NotebookCell {
  id?: string;
  cell_type: string;
  source: string | string[];
  metadata: Record<string, unknown>;
  outputs?: NotebookOutput[];
  execution_count?: number | null;
  [field: string]: unknown;
}

/** A notebook of nbformat 4. */
export interface Notebook {
  nbformat: number;
  nbformat_minor: number;
  metadata: Record<string, unknown>;
  cells: NotebookCell[];
}

/**
 * Reads a notebook and raises it to nbformat 4.5: each cell has an id, each code cell outputs and a count.
 * @param name Appears in errors.
 * @throws {SyntaxError} if it is not a notebook of nbformat 4.
 */
export function parseNotebook(text: string, name: string): Notebook {
  let notebook: Notebook;
  try {
    notebook = JSON.parse(text) as Notebook;
  } catch (error) {
    throw new SyntaxError(`Cannot read notebook "${name}": ${(error as Error).message}`);
  }
  if (notebook?.nbformat !== 4 || !Array.isArray(notebook.cells))
    throw new SyntaxError(
      `Cannot read notebook "${name}": expected nbformat 4 with cells, got nbformat ${JSON.stringify(notebook?.nbformat)}`,
    );
  notebook.metadata ??= {};
  notebook.nbformat_minor = Math.max(5, notebook.nbformat_minor);
  notebook.cells.forEach((cell, index) => {
    cell.metadata ??= {};
    // The same notebook gets the same ids each time.
    cell.id ??= createHash("sha256")
      .update(`${index}:${sourceOf(cell)}`)
      .digest("hex")
      .slice(0, 8);
    if (cell.cell_type !== "code") return;
    cell.outputs ??= [];
    cell.execution_count ??= null;
  });
  return notebook;
}

/** A notebook's text, as Jupyter writes it. */
export function formatNotebook(notebook: Notebook): string {
  return `${JSON.stringify(sortedKeys(notebook), null, 1)}\n`;
}

/** Source of a cell in one piece. */
export function sourceOf({ source }: NotebookCell): string {
  return Array.isArray(source) ? source.join("") : source;
}

/** Text as nbformat likes it: lines, each with its line feed. */
export function toLines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function sortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedKeys);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, field]) => [key, sortedKeys(field)]));
}
