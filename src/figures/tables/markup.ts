import { valueOf } from "../estimate";
import { alignOf, type Table } from "./table";

/** A table in Markdown (GitHub's dialect); the best values in bold. */
export function tableToMarkdown(table: Table): string {
  const escape = (text: string): string => text.replace(/[\\|`*_<>[\]]/g, "\\$&").replace(/\r?\n/g, " ");
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rules = { left: ":--", right: "--:", centre: ":-:" } as const;
  return [
    ...(table.caption === undefined ? [] : [`**${escape(table.caption)}**`, ""]),
    line(table.titles.map(escape)),
    line(table.columns.map((column) => rules[alignOf(column)])),
    ...table.cells.map((row) => line(row.map((cell) => (cell.best ? `**${escape(cell.text)}**` : escape(cell.text))))),
    ...(table.footnotes ?? []).flatMap((note) => ["", escape(note)]),
  ].join("\n");
}

/** A table in LaTeX with booktabs rules; user text is escaped, the best values in bold. @param options.label for `\label`. */
export function tableToLatex(table: Table, options: { label?: string } = {}): string {
  const letters = { left: "l", right: "r", centre: "c" } as const;
  const line = (cells: readonly string[]): string => `    ${cells.join(" & ")} \\\\`;
  return [
    "\\begin{table}[t]",
    "  \\centering",
    ...(table.caption === undefined ? [] : [`  \\caption{${escapeLatex(table.caption)}}`]),
    ...(options.label === undefined ? [] : [`  \\label{${options.label.replace(/[^\w:.-]/g, "-")}}`]),
    `  \\begin{tabular}{${table.columns.map((column) => letters[alignOf(column)]).join("")}}`,
    "    \\toprule",
    line(table.titles.map(escapeLatex)),
    "    \\midrule",
    ...table.cells.map((row) => line(row.map((cell) => (cell.best ? `\\textbf{${escapeLatex(cell.text)}}` : escapeLatex(cell.text))))),
    "    \\bottomrule",
    "  \\end{tabular}",
    ...(table.footnotes ?? []).map((note) => `  \\par\\smallskip{\\footnotesize ${escapeLatex(note)}}`),
    "\\end{table}",
    "",
  ].join("\n");
}

/**
 * A table as CSV (RFC 4180, LF): numbers unrounded, rates as fractions, intervals in columns `key_low` and `key_high`; empty for missing.
 * Text that a spreadsheet would run as a formula is prefixed with an apostrophe.
 */
export function tableToCsv(table: Table): string {
  const quote = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);
  return tableToRecords(table)
    .reduce<string[]>(
      (lines, record) => [
        ...lines,
        Object.values(record)
          .map((cell) => quote(cell === null ? "" : defused(cell)))
          .join(","),
      ],
      [columnKeys(table).map(quote).join(",")],
    )
    .join("\n")
    .concat("\n");
}

/** Plain records with one field a CSV column: numbers unrounded, null for missing. */
export function tableToRecords(table: Table): Record<string, string | number | boolean | null>[] {
  return table.rows.map((row) => {
    const record: Record<string, string | number | boolean | null> = {};
    for (const column of table.columns) {
      const cell = row[column.key] ?? null;
      record[column.key] = typeof cell === "object" ? valueOf(cell) : cell;
      if (!hasIntervals(table, column.key)) continue;
      const interval = typeof cell === "object" ? cell?.interval : undefined;
      record[`${column.key}_low`] = interval?.[0] ?? null;
      record[`${column.key}_high`] = interval?.[1] ?? null;
    }
    return record;
  });
}

/** Names of the columns of `tableToRecords`. */
export function columnKeys(table: Table): string[] {
  return table.columns.flatMap(({ key }) => (hasIntervals(table, key) ? [key, `${key}_low`, `${key}_high`] : [key]));
}

function hasIntervals(table: Table, key: string): boolean {
  return table.rows.some((row) => {
    const cell = row[key];
    return typeof cell === "object" && cell !== null && cell.interval !== undefined;
  });
}

function defused(cell: string | number | boolean): string {
  return typeof cell === "string" && /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : String(cell);
}

const latexCharacters: Readonly<Record<string, string>> = {
  "\\": "\\textbackslash{}",
  "{": "\\{",
  "}": "\\}",
  "&": "\\&",
  "%": "\\%",
  $: "\\$",
  "#": "\\#",
  _: "\\_",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
  "<": "\\textless{}",
  ">": "\\textgreater{}",
  "−": "$-$",
  "–": "--",
  "—": "---",
  "±": "$\\pm$",
  "×": "$\\times$",
  "≤": "$\\leq$",
  "≥": "$\\geq$",
  α: "$\\alpha$",
  λ: "$\\lambda$",
  θ: "$\\theta$",
  τ: "$\\tau$",
  "\u00a0": "~",
};

/** Text for LaTeX: every special character escaped, common mathematical signs and Greek letters in math mode. */
export function escapeLatex(text: string): string {
  return text.replace(/[\\{}&%$#_~^<>−–—±×≤≥αλθτ\u00a0]/g, (character) => latexCharacters[character] ?? character).replace(/\r?\n/g, " ");
}
