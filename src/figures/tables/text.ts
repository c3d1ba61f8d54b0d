import { alignOf, type Table } from "./table";

/** A table as aligned text for terminals; the best values carry a "*". */
export function tableToText(table: Table): string {
  const rows = [table.titles.map((title) => [title]), ...table.cells.map((row) => row.map((cell) => [cell.text + (cell.best ? "*" : "")]))];
  const hasBest = table.columns.map((_, column) => table.cells.some((row) => row[column]?.best));
  const texts = rows.map((row) => row.map((cell) => cell[0] ?? ""));
  // Room for the star, so that digits stay below each other.
  const padded = texts.map((row, index) =>
    row.map((text, column) => (index > 0 && hasBest[column] && !text.endsWith("*") ? `${text} ` : text)),
  );
  const widths = table.columns.map((_, column) => Math.max(...padded.map((row) => displayWidth(row[column] ?? ""))));
  const lines = padded.map((row) =>
    row
      .map((text, column) => {
        const align = alignOf(table.columns[column]!);
        const space = (widths[column] ?? 0) - displayWidth(text);
        const before = align === "right" ? space : align === "centre" ? Math.floor(space / 2) : 0;
        return " ".repeat(before) + text + " ".repeat(space - before);
      })
      .join("  ")
      .trimEnd(),
  );
  const rule = widths.map((width) => "─".repeat(width)).join("  ");
  const notes = [...(table.footnotes ?? []), ...(hasBest.some(Boolean) ? ["* best of its column"] : [])];
  return [
    ...(table.caption === undefined ? [] : [table.caption, ""]),
    lines[0],
    rule,
    ...lines.slice(1),
    ...(notes.length > 0 ? ["", ...notes] : []),
  ].join("\n");
}

/** Columns that text takes in a terminal: wide East Asian characters take two, combining marks none. */
function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    if (/\p{Mark}/u.test(character)) continue;
    width += /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/.test(character) ? 2 : 1;
  }
  return width;
}
