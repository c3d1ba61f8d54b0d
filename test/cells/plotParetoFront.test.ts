import assert from "node:assert/strict";
import { plotParetoFront, type Sweep, type SweepPoint } from "../../src/cells";

const point = (method: string, title: string, alpha: number | null, scale: number, acc: number, asr: number): SweepPoint => ({
  ...{ method, title, alpha, scale, acc },
  seed: alpha === null ? null : 0,
  stage: "final",
  asrAttacked: asr,
  asrClean: null,
  asrAll: null,
  floor: alpha === 1 ? { acc: 0.8, asrAttacked: 0.25 } : null,
  tasks: {},
  view: null,
});

const sweep = (shift: number): Sweep => ({
  points: [
    point("ties", "Ties-Merging", null, 0.2, 0.8 + shift, 0.4 + shift),
    point("ties", "Ties-Merging", null, 0.5, 0.78 + shift, 0.7 + shift),
    point("dam", "DAM", 0, 1, 0.85 + shift, 0.5 + shift),
    point("dam", "DAM", 1, 1, 0.82 + shift, 0.3 + shift),
    { ...point("dam", "DAM", 1, 1, 0.8 + shift, 0.28 + shift), stage: "masks" },
  ],
  individual: { acc: 0.95, asrAttacked: 1 },
  pretrained: { acc: 0.6, asrAttacked: 0.2 },
  attacked: { eurosat: "trojvit/eurosat-seed0" },
});

type Trace = Readonly<Record<string, unknown>>;
const rounded = (values: unknown): number[] => (values as number[]).map((value) => Math.round(value * 1e6) / 1e6);

describe("plotParetoFront()", () => {
  const named = (data: readonly Trace[], name: string): Trace[] => data.filter((trace) => trace["name"] === name);

  it("plotParetoFront() draws methods as families: baselines open, dominated points faded, alpha on hover", async () => {
    const { figure, table } = await plotParetoFront(sweep(0));
    const { data } = figure.specification;
    const [faded, ties] = named(data, "Ties-Merging");
    assert.deepEqual(rounded(ties!["x"]), [80]);
    assert.equal((ties!["marker"] as { symbol: string }).symbol, "triangle-up-open");
    assert.ok((faded!["marker"] as { opacity: number }).opacity < 0.5);
    const [dam] = named(data, "DAM");
    assert.deepEqual(rounded(dam!["x"]), [82, 85]);
    assert.match((dam!["hovertext"] as string[])[0]!, /α = 1<br>ACC 82\.0 %<br>ASR 30\.0 %<br>floor 25\.0 %/);
    assert.equal(named(data, "DAM before the final stage").length, 1);
    assert.equal(table.rows.length, 5);
  });

  it("plotParetoFront() draws the floor and the individual models' bounds, those far away by name only", async () => {
    const { data } = (await plotParetoFront(sweep(0))).figure.specification;
    assert.deepEqual(rounded(named(data, "Floor of DAM (all-clean merge)")[0]!["y"]), [25, 25]);
    const bounds = data.filter((trace) => String(trace["name"]).startsWith("Individual"));
    // ACC of points: 78 to 85, with 2 points of air 76 to 87, and half of 11 more: 95 lies outside, as does 100 of ASR 23 to 72.
    assert.deepEqual(
      bounds.map((trace) => trace["name"]),
      ["Individual models, ACC (95.0\u00a0% →)", "Individual models, ASR (100.0\u00a0% ↑)"],
    );
    assert.ok(!(await plotParetoFront(sweep(0), { individual: false })).figure.alt.includes("Individual"));
  });

  it("plotParetoFront() of several sweeps shows means, the defence's with standard errors", async () => {
    const { data } = (await plotParetoFront([sweep(-0.01), sweep(0.01)])).figure.specification;
    const [dam] = named(data, "DAM");
    assert.deepEqual(rounded(dam!["y"]), [30, 50]);
    // s = .01414, √2 runs: ± 1 point.
    assert.deepEqual(rounded((dam!["error_y"] as { array: number[] }).array), [1, 1]);
  });

  it("plotParetoFront() draws every defence as one", async () => {
    const purified = { ...sweep(0), points: [...sweep(0).points, point("purify", "Purified AdaMerging", null, 1, 0.84, 0.1)] };
    const { data } = (await plotParetoFront(purified)).figure.specification;
    const [own] = named(data, "Purified AdaMerging");
    assert.equal((own!["marker"] as { symbol: string }).symbol, "triangle-down");
  });

  it("plotParetoFront() of nothing fails", async () => {
    await assert.rejects(plotParetoFront([]), { name: "RangeError", message: "Cannot plot fronts: expected at least 1 sweep, got 0" });
  });
});
