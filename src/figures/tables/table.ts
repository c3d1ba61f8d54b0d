import { displaySymbol, type Displayable, type MimeBundle } from "../../display/mime";
import { type Estimate, formatNumber, formatPercent, formatPercentInterval, type Rate, valueOf } from "../estimate";
import { tableToHtml } from "./html";
import { tableToText } from "./text";

/** What a cell may hold. Rates are fractions in [0, 1]. */
export type CellValue = string | number | boolean | Estimate | null;

/** How the cells of a column are written. */
export type CellFormat =
  | "text"
  /** A fraction as percent, one decimal. */
  | "percent"
  /** A fraction as percent, with its interval where it has one. */
  | "interval"
  /** A whole number with thousands separators. */
  | "integer"
  /** A number with `digits` decimals. */
  | "number";

/** One column of a table. */
export interface Column {
  readonly key: string;
  readonly title: string;
  /** Written after the title, such as "%" or "s"; default "%" for percent and interval. */
  readonly unit?: string;
  /** Default "text". */
  readonly format?: CellFormat;
  /** Decimals; default 1 for percent and interval, 2 for number. */
  readonly digits?: number;
  /** Default: text to the left, everything else to the right. */
  readonly align?: "left" | "right" | "centre";
  /** Which value of the column is emphasised. */
  readonly best?: "highest" | "lowest";
}

/** What a table is made of. */
export interface TableContent {
  readonly columns: readonly Column[];
  /** One record a row, by column key; a missing cell is shown as "–". */
  readonly rows: readonly Readonly<Record<string, CellValue>>[];
  readonly caption?: string;
  readonly footnotes?: readonly string[];
}

/** A cell as every output format takes it. */
export interface WrittenCell {
  readonly text: string;
  readonly best: boolean;
}

/** A table as a value: shows itself in notebooks as HTML, elsewhere as aligned text. */
export interface Table extends TableContent, Displayable {
  /** Titles with units. */
  readonly titles: readonly string[];
  /** All cells as text, row by row. */
  readonly cells: readonly (readonly WrittenCell[])[];
  toString(): string;
}

/**
 * Makes a table value.
 * @throws {RangeError} if two columns have the same key. @throws {TypeError} if a cell does not fit its column's format.
 */
export function makeTable(content: TableContent): Table {
  const keys = content.columns.map((column) => column.key);
  const twice = keys.find((key, index) => keys.indexOf(key) !== index);
  if (twice !== undefined) throw new RangeError(`Cannot make table: expected different column keys, got "${twice}" twice`);
  const table: Table = {
    ...content,
    titles: content.columns.map(titleOf),
    cells: writeCells(content),
    toString: () => tableToText(table),
    [displaySymbol]: (): MimeBundle => ({ "text/plain": tableToText(table), "text/html": tableToHtml(table) }),
  };
  return table;
}

/** Alignment of a column after defaults. */
export function alignOf(column: Column): "left" | "right" | "centre" {
  return column.align ?? ((column.format ?? "text") === "text" ? "left" : "right");
}

function titleOf(column: Column): string {
  const unit = column.unit ?? (column.format === "percent" || column.format === "interval" ? "%" : undefined);
  return unit === undefined || unit === "" ? column.title : `${column.title} (${unit})`;
}

function writeCells(content: TableContent): WrittenCell[][] {
  const best = content.columns.map((column) => bestOf(column, content));
  return content.rows.map((row) =>
    content.columns.map((column, index) => {
      const value = row[column.key] ?? null;
      const text = writeCell(column, value);
      // Ties count: whatever reads the same as the best is the best.
      return { text, best: best[index] !== undefined && value !== null && text.split(" [")[0] === best[index] };
    }),
  );
}

function bestOf(column: Column, content: TableContent): string | undefined {
  if (column.best === undefined || content.rows.length < 2) return undefined;
  const values = content.rows.map((row) => row[column.key] ?? null).map((cell) => valueOf(numeric(cell)));
  const known = values.filter((value): value is number => value !== null);
  if (known.length === 0) return undefined;
  const value = known.reduce((a, b) => (column.best === "highest" ? Math.max(a, b) : Math.min(a, b)));
  return writeCell(column, value).split(" [")[0];
}

function numeric(cell: CellValue): Rate {
  return typeof cell === "number" || (typeof cell === "object" && cell !== null) ? cell : null;
}

function writeCell(column: Column, cell: CellValue): string {
  if (cell === null) return "–";
  const { format = "text", digits } = column;
  if (format === "text") return typeof cell === "object" ? formatPercentInterval(cell) : String(cell);
  const rate = numeric(cell);
  if (rate === null) {
    throw new TypeError(`Cannot write cell of column "${column.key}": expected a number for format ${format}, got ${JSON.stringify(cell)}`);
  }
  if (format === "percent") return formatPercent(rate, { digits: digits ?? 1 });
  if (format === "interval") return formatPercentInterval(rate, { digits: digits ?? 1 });
  const value = valueOf(rate);
  if (value === null) return "–";
  if (format === "integer") return (value < 0 ? "−" : "") + Math.abs(Math.round(value)).toLocaleString("en-US");
  return formatNumber(value, digits ?? 2);
}
