/** @file What every notebook of the repository must hold to, as functions that give the faults they find. */
import ts from "typescript";
import { claimsMime } from "../../src/cells";
import type { NotebookClaims } from "../../src/cli/claims";
import { type Notebook, type NotebookCell, sourceOf } from "../../src/kernel/run/notebook";

/** Lines that a cell may have. */
export const MOST_LINES = 15;

/** Nodes with a body of code that runs later: functions, methods and accessors, classes and what is in them. */
const FUNCTIONS = new Set([
  ts.SyntaxKind.ArrowFunction,
  ts.SyntaxKind.FunctionExpression,
  ts.SyntaxKind.FunctionDeclaration,
  ts.SyntaxKind.MethodDeclaration,
  ts.SyntaxKind.GetAccessor,
  ts.SyntaxKind.SetAccessor,
  ts.SyntaxKind.Constructor,
  ts.SyntaxKind.ClassDeclaration,
  ts.SyntaxKind.ClassExpression,
  ts.SyntaxKind.ClassStaticBlockDeclaration,
]);

/** Names by which code comes from somewhere else than the library, or out of a text. */
const FOREIGN = new Set(["require", "eval", "Function", "process", "globalThis"]);

/** Code cells of a notebook. */
export function codeCells({ cells }: Notebook): NotebookCell[] {
  return cells.filter(({ cell_type }) => cell_type === "code");
}

/** Faults of form: too long cells, bodies of functions, code from elsewhere, missing fields of nbformat 4.5. */
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
      if (ts.isIdentifier(node) && FOREIGN.has(node.text) && !ts.isPropertyAssignment(node.parent))
        faults.push(`code cell ${index + 1} uses ${node.text}`);
      const from = importedFrom(node);
      if (from !== null && !/^damlab(\/|$)/.test(from)) faults.push(`code cell ${index + 1} imports from ${from}`);
      ts.forEachChild(node, visit);
    };
    visit(ts.createSourceFile("cell.ts", source, ts.ScriptTarget.ES2022, true));
  }
  return faults;
}

/** Where a statement or call imports from; null for other nodes. */
function importedFrom(node: ts.Node): string | null {
  if (ts.isImportDeclaration(node)) return (node.moduleSpecifier as ts.StringLiteral).text;
  return ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword ? node.arguments[0]!.getText() : null;
}

const NUMBER = /(?<![\p{L}\p{N}_.])\d+(?:\.\d+)?(?![\p{L}\p{N}_])/gu;
/** Names that end in a number of their own, beside those that have a letter before it (M1, RESISC45). */
const NAMED = /\bCLIP-ViT-B\/32\b|\b(?:Theorem|Corollary) 1\b/g;

/** Paragraphs and list items of the prose; `quotes`: those that quote the paper (lines that begin with `>`). */
function proseOf(notebook: Notebook): { readonly own: string[]; readonly quotes: string[] } {
  const blocks = notebook.cells
    .filter(({ cell_type }) => cell_type === "markdown")
    .flatMap((cell) => sourceOf(cell).split(/\n\s*\n|\n(?=\s*[-*] )/));
  const plain = blocks.map((block) => block.replace(/\]\([^)]*\)/g, "]"));
  const quotes = plain.filter((block) => block.startsWith(">")).map((quote) => quote.replace("CLIP-ViT-B/32", ""));
  return { own: plain.filter((block) => !block.startsWith(">")).map((block) => block.replace(NAMED, "")), quotes };
}

/** Claims that the outputs carry. */
function claimsOf(notebook: Notebook): NotebookClaims["claims"] {
  const outputs = codeCells(notebook).flatMap((cell) => cell.outputs ?? []);
  return outputs.flatMap(({ data }) => (data as Record<string, NotebookClaims> | undefined)?.[claimsMime]?.claims ?? []);
}

/**
 * What of the prose's numbers comes neither from the run nor from the paper. A measured number stands in the prose as the run has written it,
 * with interval and count ("36.0 points [23.5, 48.5], 3 runs"), so that not one digit can differ; other numbers are not for the prose.
 * @param options.name Name of the notebook: its number may stand in its heading.
 * @param options.paper Numbers that its quotation of the paper has, in their order.
 * @param options.others Names of the other notebooks, which may be referred to as "notebook 06" or "06-tradeoff".
 */
export function unfoundedNumbers(
  notebook: Notebook,
  { name, paper, others }: { readonly name: string; readonly paper: readonly string[]; readonly others: readonly string[] },
): string[] {
  const measured = claimsOf(notebook).flatMap((claim) => (claim.measured === "–" ? [] : [claim.measured]));
  const { own, quotes } = proseOf(notebook);
  const names = others.flatMap((other) => [`[${other}]`, `notebook ${other.slice(0, 2)}`, `notebooks ${other.slice(0, 2)}`]);
  const known = [...measured, ...names].sort((a, b) => b.length - a.length);
  const left = own.flatMap((block) => {
    const rest = known.reduce((text, phrase) => text.replaceAll(phrase, ""), block.replace(`# ${name.slice(0, 2)} ·`, ""));
    return rest.match(NUMBER) ?? [];
  });
  const quoted = quotes.flatMap((quote) => quote.match(NUMBER) ?? []);
  return quoted.join(" ") === paper.join(" ") ? left : [...left, `quoted ${quoted.join(" ")} instead of ${paper.join(" ")}`];
}

/** Claims that do not hold, and that no sentence of the prose says so of, by its measured value. */
export function unsaidVerdicts(notebook: Notebook): string[] {
  const { own } = proseOf(notebook);
  const said = (measured: string): boolean => own.some((block) => block.includes(measured) && /\bdo(?:es)? not hold\b/.test(block));
  return claimsOf(notebook)
    .filter(({ verdict, measured }) => verdict === "does not" && !said(measured))
    .map(({ claim, measured }) => `${claim}: ${measured}`);
}

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
    const text = [data["text/plain"] ?? ""].flat().join("");
    if ("image/png" in data && !/; damlab \d|nothing is measured/.test(text))
      faults.push(`a caption lacks the version: ${text.split("\n")[0]}`);
    // Some front ends show each of its pixels as one of the screen's.
    if ("image/png" in data && widthOfPng([data["image/png"]].flat().join("")) > MOST_PIXELS) faults.push("a figure's PNG is too wide");
    if (html.includes("<progress")) faults.push("a progress bar was kept");
    if (html.length > 2_000_000) faults.push("an output's HTML is as large as a library");
    if (/<script[^>]+src=|https?:\/\/[^"]*plotly/.test(html)) faults.push("an output's HTML loads from elsewhere");
    const claims = data[claimsMime] as { short?: boolean } | undefined;
    if (claims?.short === true) faults.push("its claims are of a short run");
  }
  return faults;
}
