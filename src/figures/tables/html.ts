import { alignOf, type Table } from "./table";

/** A table as an HTML fragment: caption, headers with scope, the best values in bold. Carries its few styles inline, as notebooks need. */
export function tableToHtml(table: Table): string {
  const align = table.columns.map((column) => (alignOf(column) === "centre" ? "center" : alignOf(column)));
  const cellStyle = (column: number): string => `text-align:${align[column] ?? "left"};padding:.3em .7em;white-space:nowrap`;
  const head = table.titles.map((title, column) => `<th scope="col" style="${cellStyle(column)}">${escapeHtml(title)}</th>`).join("");
  const body = table.cells.map((row) => {
    const cells = row.map((cell, column) => {
      const content = cell.best ? `<strong>${escapeHtml(cell.text)}</strong>` : escapeHtml(cell.text);
      const isName = column === 0 && alignOf(table.columns[0]!) === "left";
      return isName
        ? `<th scope="row" style="${cellStyle(column)};font-weight:normal">${content}</th>`
        : `<td style="${cellStyle(column)};font-variant-numeric:tabular-nums">${content}</td>`;
    });
    return `<tr>${cells.join("")}</tr>`;
  });
  const caption =
    table.caption === undefined ? "" : `<caption style="text-align:left;padding:.4em 0">${escapeHtml(table.caption)}</caption>`;
  const notes = (table.footnotes ?? []).map((note) => `<p style="margin:.3em 0;font-size:.9em">${escapeHtml(note)}</p>`).join("");
  const rule = "border-top:1.5px solid currentColor;border-bottom:1.5px solid currentColor;border-collapse:collapse";
  return (
    `<div class="damlab-table" style="overflow-x:auto" tabindex="0" role="region" aria-label="${escapeHtml(table.caption ?? "Table")}">` +
    `<table style="${rule}">${caption}<thead style="border-bottom:1px solid currentColor"><tr>${head}</tr></thead>` +
    `<tbody>${body.join("")}</tbody></table>${notes}</div>`
  );
}

/** Text as HTML content or quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;").replace(/'/g, "&#39;");
}
