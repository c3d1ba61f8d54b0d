import assert from "node:assert/strict";
import {
  familyOf,
  heatmapFigure,
  linesFigure,
  methodsFigure,
  paretoFigure,
  ratesFigure,
  styles,
  tradeoffFigure,
  undominated,
} from "../../src/figures";
import { exampleFigures, twelveMethods } from "./examples";

/** Numbers to two decimals, so that comparisons see what readers see. */
const trimmed = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, inner: unknown) => (typeof inner === "number" ? Number(inner.toFixed(2)) : inner)));

describe("figures/charts", () => {
  it("ratesFigure() draws fractions in percent with asymmetric whiskers", () => {
    const figure = ratesFigure({
      tasks: ["a", "b"],
      series: [{ name: "clean", style: "clean", acc: [{ value: 0.9, interval: [0.85, 0.92] }, null] }],
    });
    const [bar] = figure.specification.data;
    assert.deepEqual(trimmed([bar?.["x"], bar?.["y"]]), [
      [0, 1],
      [90, null],
    ]);
    // 0.92 - 0.90 = 2 points up, 0.90 - 0.85 = 5 points down
    const whiskers = bar?.["error_y"] as { array: number[]; arrayminus: number[] };
    assert.deepEqual(trimmed([whiskers.array, whiskers.arrayminus]), [
      [2, 0],
      [5, 0],
    ]);
  });

  it("ratesFigure() draws no whisker where no interval is known", () => {
    const acc = [{ value: 0.9, interval: [0.85, 0.92] as const }, { value: 0.8 }];
    const [bar] = ratesFigure({ tasks: ["a", "b"], series: [{ name: "s", style: "dam", acc }] }).specification.data;
    assert.equal((bar?.["error_y"] as { array: (number | null)[] }).array[1], null);
  });

  it("ratesFigure() leaves out the panel that nothing was measured for", () => {
    const { layout } = ratesFigure({ tasks: ["a"], series: [{ name: "clean", style: "clean", acc: [1] }] }).specification;
    assert.ok("yaxis" in layout && !("yaxis2" in layout));
  });

  it("ratesFigure() lists each name once in the legend", () => {
    const names = exampleFigures()
      ["rates"]!.specification.data.filter((trace) => trace["showlegend"])
      .map((trace) => trace["name"]);
    assert.deepEqual(names, ["clean", "backdoored", "pretrained"]);
  });

  it("ratesFigure() names a series with too few rates", () => {
    assert.throws(() => ratesFigure({ tasks: ["a", "b"], series: [{ name: "s", style: "dam", asr: [1] }] }), {
      name: "RangeError",
      message: 'Cannot draw asr of "s": expected 2 rates, got 1',
    });
  });

  it("methodsFigure() keeps each family's colour and writes each value beside its bar", () => {
    const { data, layout } = methodsFigure(twelveMethods, { measures: ["acc"] }).specification;
    const colours = (data[0]?.["marker"] as { color: string[] }).color;
    assert.deepEqual(
      [colours[1], colours[2], colours[7], colours[8]],
      [styles.average, styles.arithmetic, styles.dam, styles.dam].map((style) => style.colour),
    );
    const written = (layout["annotations"] as { text: string }[]).map((annotation) => annotation.text).slice(1);
    assert.deepEqual(
      written,
      twelveMethods.map((_, index) => (45 + 3 * index).toFixed(1)),
    );
  });

  it("methodsFigure() refuses to draw nothing", () => {
    assert.throws(() => methodsFigure([]), {
      name: "RangeError",
      message: "Cannot draw figure of methods: expected at least 1 row, got 0",
    });
  });

  it("tradeoffFigure() tells methods of one family apart by their markers", () => {
    const shown = tradeoffFigure(twelveMethods).specification.data.filter((trace) => trace["showlegend"] !== false);
    const looks = shown.map((trace) =>
      JSON.stringify([(trace["marker"] as { symbol: string }).symbol, (trace["marker"] as { color: string }).color]),
    );
    assert.equal(new Set(looks).size, 12);
  });

  it("undominated() keeps what no other point beats, by growing ACC", () => {
    const points = [
      { acc: 0.8, asr: 0.5 },
      { acc: 0.7, asr: 0.2 },
      { acc: 0.7, asr: 0.3 },
      { acc: 0.6, asr: 0.2 },
      { acc: null, asr: 0 },
    ];
    // (0.7, 0.3) and (0.6, 0.2) are beaten by (0.7, 0.2).
    assert.deepEqual(undominated(points), [1, 0]);
  });

  it("undominated() keeps equal points, as neither beats the other", () => {
    assert.deepEqual(
      undominated([
        { acc: 0.5, asr: 0.5 },
        { acc: 0.5, asr: 0.5 },
      ]),
      [0, 1],
    );
  });

  it("paretoFigure() joins undominated points by a line and fades the others", () => {
    const points = [
      { acc: 0.8, asr: 0.5 },
      { acc: 0.7, asr: 0.6, label: "α = 1" },
      { acc: 0.6, asr: 0.2 },
    ];
    const { data } = paretoFigure({ fronts: [{ name: "DAM", points }], bounds: [{ name: "floor", asr: 0.1 }] }).specification;
    assert.deepEqual(
      data.map((trace) => [trace["mode"], trimmed(trace["x"])]),
      [
        ["markers", [70]],
        ["lines+markers", [60, 80]],
        // air: the greater of 2 points and 6 % of 80 - 60
        ["lines", [58, 82]],
      ],
    );
    assert.equal((data[0]?.["marker"] as { opacity: number }).opacity, 0.28);
    assert.match((data[0]?.["hovertext"] as string[])[0]!, /α = 1/);
  });

  it("linesFigure() scales panels of fractions and draws bands", () => {
    const { data } = linesFigure([
      { title: "ASR (%)", percent: true, series: [{ name: "a", x: [1, 2], y: [0.5, null], low: [0.4, 0.4], high: [0.6, 0.6] }] },
    ]).specification;
    assert.deepEqual(trimmed(data.map((trace) => trace["y"])), [
      [40, 40],
      [60, 60],
      [50, null],
    ]);
    assert.equal(data[1]?.["fill"], "tonexty");
  });

  it("linesFigure() names a line whose lengths differ", () => {
    assert.throws(() => linesFigure([{ title: "", series: [{ name: "loss", x: [1, 2], y: [1] }] }]), {
      name: "RangeError",
      message: 'Cannot draw line "loss": expected 2 values of y, got 1',
    });
  });

  it("heatmapFigure() centres two-sided colours", () => {
    const { data } = heatmapFigure({ rows: ["a"], columns: ["x", "y"], values: [[-1, 3]] }, { centre: 0 }).specification;
    assert.deepEqual([data[0]?.["zmin"], data[0]?.["zmax"]], [-3, 3]);
  });

  it("heatmapFigure() says how many values it expected", () => {
    assert.throws(() => heatmapFigure({ rows: ["a"], columns: ["x", "y"], values: [[1]] }), {
      name: "RangeError",
      message: "Cannot draw heatmap: expected 1 rows of 2 values, got 1 rows of 1",
    });
  });

  it("captions state n, seeds, intervals, engine and version", () => {
    assert.equal(
      exampleFigures()["rates"]!.caption.replaceAll("\u00a0", " "),
      "ACC hardly falls while the trigger flips most images. n = 1,000–2,000 images a rate; 3 seeds (0, 1, 2); whiskers: 95 % intervals; engine wasm; damlab 0.1.0.",
    );
  });

  it("specifications are plain JSON in one font size", () => {
    for (const figure of Object.values(exampleFigures())) {
      const text = JSON.stringify(figure.specification);
      assert.deepEqual(JSON.parse(text), figure.specification);
      const sizes = [...text.matchAll(/"(?:tick)?font":\{[^}]*"size":([\d.]+)/g)].map((match) => match[1]);
      assert.deepEqual([...new Set(sizes)], ["13"]);
    }
  });

  it("familyOf() finds the family of ids and titles", () => {
    const names = [
      "task_arithmetic",
      "Ties-Merging",
      "average",
      "AdaMerging++",
      "Concrete AM",
      "dam",
      "DAM (joint)",
      "Task Arithmetic + ANP",
      "pretrained",
      "x",
    ];
    assert.deepEqual(names.map(familyOf), [
      "arithmetic",
      "ties",
      "average",
      "adaptive",
      "subspace",
      "dam",
      "dam",
      "defense",
      "individual",
      "other",
    ]);
  });

  it("draw() refuses a width that nothing fits in", () => {
    assert.throws(() => exampleFigures()["lines"]!.draw({ width: 0 }), {
      name: "RangeError",
      message: /expected a width of 120 to 10000 pixels, got 0$/,
    });
  });
});
