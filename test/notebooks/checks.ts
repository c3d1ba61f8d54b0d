/** @file What every notebook of the repository must hold to, as functions that give the faults they find. */
import ts from "typescript";
import { type Notebook, type NotebookCell, sourceOf } from "../../src/kernel/run/notebook";

/** Lines that a cell may have. */
export const MOST_LINES = 15;

/** What the paper itself says in numbers, as far as it is known here: no other number may stand in a quotation of it. */
const PAPER_NUMBERS = new Set(["70", "35", "2", "10", "1"]);

const FUNCTIONS = new Set([
  ts.SyntaxKind.ArrowFunction,
  ts.SyntaxKind.FunctionExpression,
  ts.SyntaxKind.FunctionDeclaration,
  ts.SyntaxKind.MethodDeclaration,
  ts.SyntaxKind.ClassDeclaration,
  ts.SyntaxKind.ClassExpression,
]);

/** Code cells of a notebook. */
export function codeCells({ cells }: Notebook): NotebookCell[] {
  return cells.filter(({ cell_type }) => cell_type === "code");
}

/** Faults of form: too long cells, bodies of functions, missing fields of nbformat 4.5. */
export function faultsOfForm(notebook: Notebook): string[] {
  const faults: string[] = [];
  if (notebook.nbformat !== 4 || notebook.nbformat_minor !== 5)
    faults.push(`nbformat ${notebook.nbformat}.${notebook.nbformat_minor} instead of 4.5`);
  const ids = notebook.cells.map(({ id }) => id);
  if (ids.some((id) => !/^[A-Za-z0-9_-]{1,64}$/.test(id ?? "")) || new Set(ids).size !== ids.length)
    faults.push("cell ids are missing or not different");
  for (const [index, cell] of codeCells(notebook).entries()) {
    const source = sourceOf(cell);
    const lines = source.split("\n").length;
    if (lines > MOST_LINES) faults.push(`code cell ${index + 1} has ${lines} lines`);
    if (!Array.isArray(cell.outputs) || cell.execution_count === undefined) faults.push(`code cell ${index + 1} lacks outputs or count`);
    const visit = (node: ts.Node): void => {
      if (FUNCTIONS.has(node.kind)) faults.push(`code cell ${index + 1} holds a function: ${node.getText().slice(0, 40)}`);
      ts.forEachChild(node, visit);
    };
    visit(ts.createSourceFile("cell.ts", source, ts.ScriptTarget.ES2022, true));
  }
  return faults;
}

/** Text of all outputs. */
export function outputText(notebook: Notebook): string {
  return codeCells(notebook)
    .flatMap(({ outputs = [] }) => outputs)
    .flatMap(({ text, data }) => [text, (data as Record<string, unknown> | undefined)?.["text/plain"]])
    .map((part) => (Array.isArray(part) ? part.join("") : typeof part === "string" ? part : ""))
    .join("\n");
}

/**
 * Numbers of the prose that stand in no output and no code; in a quotation of the paper (a line that begins with `>`), numbers that it is not
 * known to say. Digits in names (M1, RESISC45), in links and in the notebook's own number are no numbers.
 */
export function unfoundedNumbers(notebook: Notebook): string[] {
  const known = new Set(`${codeCells(notebook).map(sourceOf).join("\n")}\n${outputText(notebook)}`.match(NUMBER) ?? []);
  const prose = notebook.cells.filter(({ cell_type }) => cell_type === "markdown").flatMap((cell) => sourceOf(cell).split("\n"));
  return prose.flatMap((line) => {
    const plain = line
      .replace(/\]\([^)]*\)/g, "]")
      .replace(/\[\d\d-[\w-]+\]/g, "")
      .replace(/^# \d\d ·/, "")
      .replace(NAMED, "");
    return (plain.match(NUMBER) ?? []).filter((number) => !(line.startsWith(">") ? PAPER_NUMBERS : known).has(number));
  });
}

const NUMBER = /(?<![\w.])\d+(?:\.\d+)?(?![\w])/g;
/** Names that end in numbers: figures, tables, theorems, notebooks, models. */
const NAMED = /\b(?:Figures?|Table|Theorem|Corollary|notebook|CLIP-ViT-B)[ /]\d+(?:\(a\))?(?: and \d+)?/g;

/** Width that fits into a notebook's column. */
const MOST_PIXELS = 760;

function widthOfPng(base64: string): number {
  return Buffer.from(base64.slice(0, 64), "base64").readUInt32BE(16);
}

/** Faults of the outputs of a full run: none at all, of a short run, errors, figures without all their formats, a repeated library. */
export function faultsOfOutputs(notebook: Notebook): string[] {
  const faults: string[] = [];
  if (notebook.cells.some(({ metadata }) => JSON.stringify(metadata).includes("injected-parameters")))
    faults.push("parameters were injected");
  const outputs = codeCells(notebook).flatMap((cell) => cell.outputs ?? []);
  if (outputs.length === 0) faults.push("it has no outputs");
  for (const { output_type, name, data: given } of outputs) {
    const data = (given ?? {}) as Record<string, unknown>;
    const html = [data["text/html"] ?? ""].flat().join("");
    if (output_type === "error" || name === "stderr") faults.push("an output is an error");
    if ("image/png" in data && !("application/vnd.plotly.v1+json" in data && html !== "" && "text/plain" in data))
      faults.push("a figure lacks one of plotly, HTML, PNG and text");
    // Some front ends show each of its pixels as one of the screen's.
    if ("image/png" in data && widthOfPng([data["image/png"]].flat().join("")) > MOST_PIXELS) faults.push("a figure's PNG is too wide");
    if (html.includes("<progress")) faults.push("a progress bar was kept");
    if (html.length > 2_000_000) faults.push("an output's HTML is as large as a library");
    if (/<script[^>]+src=|https?:\/\/[^"]*plotly/.test(html)) faults.push("an output's HTML loads from elsewhere");
    const claims = data["application/vnd.damlab.claims+json"] as { short?: boolean } | undefined;
    if (claims?.short === true) faults.push("its claims are of a short run");
  }
  return faults;
}
