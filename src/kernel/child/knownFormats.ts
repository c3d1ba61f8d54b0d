/** @file Values that do not show themselves, but are worth more than `util.inspect`: plotly figures, tensors, data frames. */

type Fields = Readonly<Record<string, unknown>>;

/** Rows and columns of a data frame that are shown. */
const TABLE_ROWS = 30;
const TABLE_COLUMNS = 30;

/** Formats of a value of a known kind; undefined for all others. */
export function knownFormat(value: unknown): Fields | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (isPlotly(value)) return formatPlotly(value);
  if (isTensor(value)) return { "text/plain": formatTensor(value) };
  if (isDataFrame(value)) return formatDataFrame(value);
  return undefined;
}

interface PlotlyFigure {
  readonly data: readonly Fields[];
  readonly layout: Fields;
  readonly config?: Fields;
  readonly frames?: readonly Fields[];
}

function isPlotly(value: object): value is PlotlyFigure {
  const { data, layout } = value as Partial<PlotlyFigure>;
  const onlyKnown = Object.keys(value).every((key) => ["data", "layout", "config", "frames"].includes(key));
  return onlyKnown && Array.isArray(data) && data.every(isRecord) && isRecord(layout);
}

function formatPlotly({ data, layout, config = {}, frames }: PlotlyFigure): Fields {
  const { title } = layout as { title?: string | { text?: string } };
  const name = typeof title === "string" ? title : title?.text;
  const traces = data.map(({ type }) => String(type ?? "scatter")).join(", ");
  return {
    "application/vnd.plotly.v1+json": { data, layout, config, ...(frames && { frames }) },
    "text/plain": `Figure${name === undefined ? "" : ` "${name}"`}: ${data.length} ${data.length === 1 ? "trace" : "traces"} (${traces})`,
  };
}

interface TensorLike {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly isDisposed?: boolean;
  dataSync(): unknown;
  toString(verbose?: boolean): string;
}

function isTensor(value: object): value is TensorLike {
  const { dtype, shape, dataSync } = value as Partial<TensorLike>;
  return typeof dtype === "string" && Array.isArray(shape) && typeof dataSync === "function";
}

function formatTensor(tensor: TensorLike): string {
  const head = `Tensor ${tensor.dtype} [${tensor.shape.join(", ")}]`;
  return tensor.isDisposed === true
    ? `${head} (disposed)`
    : `${head}\n${tensor
        .toString()
        .replace(/^Tensor\s*\n?/, "")
        .replace(/^ {4}/gm, "")}`;
}

interface DataFrameLike {
  readonly columns: readonly string[];
  readonly index: readonly (string | number)[];
  readonly values: readonly (readonly unknown[])[];
  readonly shape: readonly number[];
}

function isDataFrame(value: object): value is DataFrameLike {
  if (value.constructor?.name !== "DataFrame") return false;
  const { columns, index, values, shape } = value as Partial<DataFrameLike>;
  return [columns, index, values, shape].every(Array.isArray);
}

function formatDataFrame({ columns, index, values, shape }: DataFrameLike): Fields {
  const cell = (tag: "td" | "th", content: unknown): string => `<${tag}>${escapeHtml(String(content))}</${tag}>`;
  const shown = columns.slice(0, TABLE_COLUMNS);
  const rows = values.slice(0, TABLE_ROWS).map((row, at) => {
    const cells = shown.map((_name, column) => cell("td", row[column])).join("");
    return `<tr>${cell("th", index[at])}${cells}</tr>`;
  });
  const lines = values.slice(0, TABLE_ROWS).map((row, at) => [index[at], ...row.slice(0, TABLE_COLUMNS)].join("\t"));
  const size = `${shape[0]} rows, ${shape[1]} columns`;
  const head = `<tr><th></th>${shown.map((name) => cell("th", name)).join("")}</tr>`;
  return {
    "text/html": `<table><thead>${head}</thead><tbody>${rows.join("")}</tbody></table><p>${size}</p>`,
    "text/plain": [["", ...shown].join("\t"), ...lines, size].join("\n"),
  };
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[character]!);
}

function isRecord(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
