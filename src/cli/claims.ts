/** The claims table: what the notebooks' outputs say of the paper's claims, as Markdown. */
import { claimsMime, type JudgedClaim } from "../cells";

/** The claims of one notebook, as its output carries them. */
export interface NotebookClaims {
  readonly notebook: string;
  readonly short: boolean;
  readonly claims: readonly JudgedClaim[];
  readonly damlab: string;
}

/** What is read of a notebook's cell. */
interface CellWithOutputs {
  readonly outputs?: readonly { readonly data?: Readonly<Record<string, unknown>> }[];
}

/**
 * Claims in the outputs of a notebook.
 * @param text The notebook's file.
 * @throws {SyntaxError} if it is not a notebook.
 */
export function readClaims(text: string, file: string): NotebookClaims[] {
  let cells: readonly CellWithOutputs[] | undefined;
  try {
    ({ cells } = JSON.parse(text) as { cells?: readonly CellWithOutputs[] });
  } catch (error) {
    throw new SyntaxError(`Cannot read notebook "${file}": ${(error as Error).message}`);
  }
  if (cells === undefined) throw new SyntaxError(`Cannot read notebook "${file}": expected cells, got none`);
  return cells.flatMap(({ outputs = [] }) =>
    outputs.flatMap(({ data }) => (data?.[claimsMime] === undefined ? [] : [data[claimsMime] as NotebookClaims])),
  );
}

/**
 * The claims table as Markdown.
 * @param entries Claims with the notebook's path from the table's folder.
 */
export function writeClaims(entries: readonly (NotebookClaims & { readonly path: string })[]): string {
  const all = entries.flatMap(({ claims }) => claims);
  const count = (verdict: string): number => all.filter((claim) => claim.verdict === verdict).length;
  const rows = entries.flatMap(({ path, notebook, claims }) =>
    claims.map(({ claim, source, measured, verdict, note }) =>
      [claim, source, measured, verdict === "does not" ? "**does not**" : verdict, `${note} ([${notebook}](${path}))`].map(escapeCell),
    ),
  );
  return [
    "# The paper's claims, and what holds here",
    "Made by `node src/cli/damlab.cjs claims` from the outputs of the notebooks in `notebooks/figures`. Everything is measured on the desk suite: " +
      "small models, six small tasks of which five are drawn by code. A claim that does not hold here may hold for CLIP-ViT, and the reverse.",
    "A claim **agrees** if the measured value, and the whole of its 95 % interval where it has one, lies on the claimed side; it **does not** if they " +
      "lie on the other side. What can't be measured here, or whose interval reaches over both sides, is **not testable here**. A value of one run has " +
      "no interval: it says less.",
    `${all.length} claims: ${count("agrees")} agree, ${count("does not")} do not, ${count("not testable here")} are not testable here.`,
    alignTable([["Claim", "Paper", "Here", "Verdict", "What was measured"], ...rows]),
    `damlab ${[...new Set(entries.map(({ damlab }) => damlab))].join(", ")}.\n`,
  ].join("\n\n");
}

/** A Markdown table with columns of equal width, its first row the heading. */
function alignTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(3, ...rows.map((row) => [...row[column]!].length)));
  const write = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell + " ".repeat(widths[column]! - [...cell].length)).join(" | ")} |`;
  return [write(rows[0]!), write(widths.map((width) => "-".repeat(width))), ...rows.slice(1).map(write)].join("\n");
}

function escapeCell(text: string): string {
  return text.replace(/\|/g, "\\|").replace(/\n/g, " ");
}
