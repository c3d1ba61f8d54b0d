import assert from "node:assert/strict";
import { heatmapFigure, linesFigure, methodsFigure, paretoFigure, styles } from "../../src/figures";
import { textWidth } from "../../src/figures/textWidth";
import { twelveMethods } from "./examples";

/** Numbers to two decimals, so that comparisons see what readers see. */
const trimmed = (values: readonly number[][]): number[][] => values.map((list) => list.map((value) => Number(value.toFixed(2))));

describe("looks of figures", () => {
  it("heatmapFigure() is as high as the title along its colours, and names as many narrow columns as there is room for", () => {
    const columns = ["start", ...Array.from({ length: 24 }, (_, block) => String(block)), "end", "projection"];
    const values = [columns.map(() => 0.01), columns.map((_, column) => column / 100)];
    const { layout } = heatmapFigure(
      { rows: ["a model with a rather long name", "b"], columns, values },
      { valueTitle: "‖τ‖ / ‖θ₀‖ (%)", percent: true },
    ).specification;
    const { margin, height, xaxis } = layout as unknown as {
      margin: { t: number; b: number };
      height: number;
      xaxis: { tickvals: number[] };
    };
    assert.ok(height - margin.t - margin.b > textWidth("‖τ‖ / ‖θ₀‖ (%)", 13));
    assert.deepEqual(xaxis.tickvals.slice(-2), [24, 26]);
  });

  it("figures in a column's width show the whole of the longest legend entry", () => {
    const { layout } = methodsFigure(twelveMethods).draw({ width: 317 });
    const { entrywidth } = layout["legend"] as { entrywidth: number };
    assert.ok(entrywidth > textWidth("same merge of clean models (floor)", 10.5), `${entrywidth}`);
  });

  it("conditions have no method's colour", () => {
    const methods = Object.entries(styles).flatMap(([name, { colour }]) => (["clean", "backdoored"].includes(name) ? [] : [colour]));
    for (const { colour, fill } of [styles.clean, styles.backdoored]) {
      assert.ok(!methods.includes(colour as never) && !methods.includes(fill as never));
    }
  });

  it("linesFigure() draws whiskers where there are few points, and lines of one family in one colour, but not alike", () => {
    const [x, y] = [
      [1, 2],
      [0.5, 0.6],
    ];
    const series = [0, 1].map((variant) => ({
      ...{ name: String(variant), style: "dam" as const, variant, x, y },
      low: [0.4, 0.5],
      high: [0.7, 0.7],
      intervals: "whiskers" as const,
    }));
    const figure = linesFigure([{ title: "ASR (%)", percent: true, series }]);
    const { data } = figure.specification;
    const looks = data.map((trace) => trace["line"] as { color: string; dash: string });
    assert.equal(data.length, 2);
    assert.equal(looks[0]!.color, looks[1]!.color);
    assert.notEqual(looks[0]!.dash, looks[1]!.dash);
    const { array, arrayminus } = data[0]!["error_y"] as { array: number[]; arrayminus: number[] };
    assert.deepEqual(trimmed([array, arrayminus]), [
      [20, 10],
      [10, 10],
    ]);
    assert.match(figure.caption, /^Whiskers/);
  });

  it("paretoFigure() writes labels where they cover no marker", () => {
    const points = [
      { acc: 0.8, asr: 0.5, label: "α = 1" },
      { acc: 0.6, asr: 0.2, label: "α = 10" },
    ];
    const places = (others: readonly { acc: number; asr: number }[]): unknown => {
      const fronts = [
        { name: "DAM", points, labels: true },
        { name: "Ties", points: others },
      ];
      return paretoFigure({ fronts }).specification.data.find(({ name }) => name === "DAM")?.["textposition"];
    };
    // The points by growing ACC.
    assert.deepEqual(places([]), ["top right", "bottom right"]);
    assert.deepEqual(places([{ acc: 0.605, asr: 0.21 }]), ["top left", "bottom right"]);
  });
});
