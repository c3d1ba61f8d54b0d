import assert from "node:assert/strict";
import { displaySymbol } from "../../src/display/mime";
import {
  formatPercent,
  formatPercentInterval,
  makeTable,
  tableToCsv,
  tableToDataFrame,
  tableToHtml,
  tableToLatex,
  tableToMarkdown,
} from "../../src/figures";

const table = makeTable({
  caption: "Averages & <more>",
  columns: [
    { key: "method", title: "method" },
    { key: "acc", title: "ACC", format: "interval", best: "highest" },
    { key: "asr", title: "ASR", format: "percent", best: "lowest" },
    { key: "seconds", title: "time", unit: "s", format: "number" },
    { key: "parameters", title: "n", format: "integer" },
  ],
  rows: [
    { method: "Ties_λ <b>", acc: { value: 0.5, interval: [0.45, 0.55] }, asr: 0.9, seconds: 1.234, parameters: 87456000 },
    { method: "=DAM | 5 %", acc: { value: 0.75, interval: [0.7, 0.8] }, asr: 0.0501, seconds: -2, parameters: null },
  ],
  footnotes: ["Note $1."],
});

describe("figures/tables", () => {
  it("formatPercent() writes fractions in percent and nothing as a dash", () => {
    assert.deepEqual(
      [0.8375, 1, -0.0001, -0.05, null, Number.NaN].map((value) => formatPercent(value)),
      ["83.8", "100.0", "0.0", "−5.0", "–", "–"],
    );
    assert.equal(formatPercent(0.5, { digits: 0, unit: true }), "50\u00a0%");
    assert.equal(formatPercentInterval({ value: 0.5, interval: [0.455, 0.55] }), "50.0 [45.5, 55.0]");
  });

  it("String(table) aligns columns and marks the best values", () => {
    assert.equal(
      String(table),
      [
        "Averages & <more>",
        "",
        "method                 ACC (%)  ASR (%)  time (s)           n",
        "──────────  ──────────────────  ───────  ────────  ──────────",
        "Ties_λ <b>  50.0 [45.0, 55.0]     90.0       1.23  87,456,000",
        "=DAM | 5 %  75.0 [70.0, 80.0]*     5.0*     −2.00           –",
        "",
        "Note $1.",
        "* best of its column",
      ].join("\n"),
    );
  });

  it("tableToHtml() escapes text and gives headers a scope", () => {
    const html = tableToHtml(table);
    assert.match(html, /<caption[^>]*>Averages &amp; &lt;more&gt;<\/caption>/);
    assert.match(html, /<th scope="row"[^>]*>Ties_λ &lt;b&gt;<\/th>/);
    assert.match(html, /<strong>75\.0 \[70\.0, 80\.0\]<\/strong>/);
    assert.equal([...html.matchAll(/<th scope="col"/g)].length, 5);
  });

  it("tableToMarkdown() escapes bars and sets alignment", () => {
    const lines = tableToMarkdown(table).split("\n");
    assert.equal(lines[3], "| :-- | --: | --: | --: | --: |");
    assert.equal(lines[5], "| =DAM \\| 5 % | **75.0 \\[70.0, 80.0\\]** | **5.0** | −2.00 | – |");
  });

  it("tableToLatex() escapes every special character", () => {
    const latex = tableToLatex(table, { label: "tab:x y" });
    assert.match(latex, /\\label\{tab:x-y\}/);
    assert.match(
      latex,
      /\n {4}Ties\\_\$\\lambda\$ \\textless\{\}b\\textgreater\{\} & 50\.0 \[45\.0, 55\.0\] & 90\.0 & 1\.23 & 87,456,000 \\\\\n/,
    );
    assert.match(latex, /=DAM \| 5 \\% & \\textbf\{75\.0 \[70\.0, 80\.0\]\} & \\textbf\{5\.0\} & \$-\$2\.00 & -- \\\\/);
    assert.match(latex, /Note \\\$1\./);
    assert.match(latex, /\\toprule[\s\S]*\\midrule[\s\S]*\\bottomrule/);
  });

  it("tableToCsv() keeps numbers unrounded, splits intervals and defuses formulas", () => {
    assert.equal(
      tableToCsv(table),
      [
        "method,acc,acc_low,acc_high,asr,seconds,parameters",
        "Ties_λ <b>,0.5,0.45,0.55,0.9,1.234,87456000",
        "'=DAM | 5 %,0.75,0.7,0.8,0.0501,-2,",
        "",
      ].join("\n"),
    );
  });

  it("tableToCsv() quotes what needs it", () => {
    const csv = tableToCsv(makeTable({ columns: [{ key: "a,b", title: "x" }], rows: [{ "a,b": 'he said "no"' }] }));
    assert.equal(csv, '"a,b"\n"he said ""no"""\n');
  });

  it("tableToDataFrame() gives danfojs the same columns", function () {
    this.timeout(60_000);
    const frame = tableToDataFrame<{ shape: number[]; columns: string[]; values: unknown[][] }>(table);
    assert.deepEqual(frame.shape, [2, 7]);
    assert.deepEqual(frame.columns, ["method", "acc", "acc_low", "acc_high", "asr", "seconds", "parameters"]);
    assert.equal(frame.values[1]?.[4], 0.0501);
  });

  it("a table shows itself as text and HTML", async () => {
    const bundle = await table[displaySymbol]();
    assert.deepEqual(Object.keys(bundle), ["text/plain", "text/html"]);
    assert.equal(bundle["text/plain"], String(table));
  });

  it("makeTable() counts what reads the same as the best as best", () => {
    const cells = makeTable({
      columns: [{ key: "a", title: "a", format: "percent", best: "highest" }],
      rows: [{ a: 0.9 }, { a: 0.90001 }, { a: 0.8 }],
    }).cells;
    assert.deepEqual(
      cells.map((row) => row[0]?.best),
      [true, true, false],
    );
  });

  it("makeTable() names the cell that does not fit its column", () => {
    assert.throws(() => makeTable({ columns: [{ key: "a", title: "a", format: "percent" }], rows: [{ a: "x" }] }), {
      name: "TypeError",
      message: 'Cannot write cell of column "a": expected a number for format percent, got "x"',
    });
    const column = { key: "a", title: "a" };
    assert.throws(() => makeTable({ columns: [column, column], rows: [] }), {
      message: 'Cannot make table: expected different column keys, got "a" twice',
    });
  });
});
