import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  checkClaims,
  claimsMime,
  compareCheckpoints,
  comparePruned,
  findingDifference,
  judgeSweeps,
  plotHistory,
  plotMethods,
  plotOver,
  saveFigures,
  sketchTradeoff,
  type Finding,
  type SweepPoint,
  type SweptAlpha,
} from "../../src/cells";
import { attackSeedNotes, taskName } from "../../src/cells/figureWords";
import { findingOf } from "../../src/cells/finding";
import { displaySymbol, type Displayable } from "../../src/display/mime";
import { linesFigure, styles } from "../../src/figures";
import { deskFolder } from "../../src/zoo";

const near = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) < 1e-9, `expected ${expected}, got ${actual}`);

function pointOf(given: Partial<SweepPoint> & Pick<SweepPoint, "method" | "acc" | "asrAttacked">): SweepPoint {
  const tasks = { a: { acc: given.acc, asr: given.asrAttacked }, b: { acc: given.acc, asr: 0.1 } };
  const usual = { title: given.method, alpha: null, scale: 1, seed: null, stage: "final" as const, asrClean: null, asrAll: null };
  return { ...usual, floor: null, tasks, view: null, ...given };
}

function sweepOf(points: readonly SweepPoint[]): SweptAlpha {
  const none = { acc: 0.9, asrAttacked: 1 };
  const provenance = { engine: null, damlab: "0", parameters: {} } as unknown as SweptAlpha["provenance"];
  return { points, individual: none, pretrained: none, attacked: { a: "trojvit/a-seed0" }, provenance };
}

describe("findingOf()", () => {
  it("gives the mean with Student's interval, cut to [0, 1] for rates", () => {
    // Mean .5, s = √((.4² + .4²)/1) = .5657, half width t(1)·s/√2 = 12.7062 · .4 = 5.08.
    assert.deepEqual(findingOf([0.1, 0.9]), { value: 0.5, interval: [0, 1], count: 2, over: "runs", unit: "rate" });
    near(findingOf([0.1, 0.9], "points")!.interval![1], 0.5 + 12.706204736432095 * 0.4);
  });

  it("is null where a value is missing", () => {
    assert.equal(findingOf([0.5, null]), null);
    assert.equal(findingOf([]), null);
  });
});

describe("checkClaims()", () => {
  const found = (value: number, interval: Finding["interval"] = null): Finding => ({
    value,
    interval,
    count: 1,
    over: "runs",
    unit: "rate",
  });
  const verdict = async (value: number, interval: Finding["interval"], expect?: { above?: number; below?: number }) => {
    const claim = { claim: "c", source: "s", note: "n", found: found(value, interval), ...(expect && { expect }) };
    return (await checkClaims({ id: claim }, { notebook: "x" })).claims[0]!.verdict;
  };

  it("agrees where the value and its whole interval lie on the claimed side", async () => {
    assert.equal(await verdict(0.8, [0.75, 0.85], { above: 0.7 }), "agrees");
    assert.equal(await verdict(0.8, null, { above: 0.7, below: 0.9 }), "agrees");
  });

  it("does not where the value and its whole interval lie on the other side", async () => {
    assert.equal(await verdict(0.6, [0.5, 0.65], { above: 0.7 }), "does not");
    assert.equal(await verdict(0.6, null, { above: 0.7 }), "does not");
    assert.equal(await verdict(0.95, [0.92, 1], { below: 0.9 }), "does not");
  });

  it("tests nothing where the interval reaches over both sides, or nothing was expected", async () => {
    assert.equal(await verdict(0.8, [0.65, 0.95], { above: 0.7 }), "not testable here");
    assert.equal(await verdict(0.6, [0.5, 0.75], { above: 0.7 }), "not testable here");
    assert.equal(await verdict(0.8, null), "not testable here");
  });

  it("carries its claims as JSON in its output", async () => {
    const checked = await checkClaims({ id: { claim: "c", source: "s", note: "n" } }, { notebook: "x", short: true });
    const bundle = await (checked as unknown as Displayable)[displaySymbol]();
    const json = bundle[claimsMime] as { notebook: string; short: boolean; claims: readonly { id: string; measured: string }[] };
    assert.deepEqual([json.notebook, json.short, json.claims[0]!.id, json.claims[0]!.measured], ["x", true, "id", "–"]);
  });
});

describe("plotMethods()", () => {
  const floor = { acc: 0.7, asrAttacked: 0.2 };
  const attacked = [0.6, 0.8].map((asrAttacked) =>
    sweepOf([pointOf({ method: "ties", acc: 0.7, asrAttacked, asrAll: (asrAttacked + 0.1) / 2, floor })]),
  );

  it("averages over the sweeps, with the floor over all tasks from the clean sweep", async () => {
    const clean = sweepOf([
      pointOf({ method: "ties", acc: 0.7, asrAttacked: null, tasks: { a: { acc: 1, asr: 0.5 }, b: { acc: 1, asr: 0.3 } } }),
    ]);
    const { findings } = await plotMethods({ attacked, clean });
    near(findings["ties"]!.asrAttacked!.value, 0.7);
    near(findings["ties"]!.inherited!.value, 0.5);
    // Floor over all: the attacked task's .2 and the other's .3, mean .25; ASR of all .4.
    near(findings["ties"]!.inheritedAll!.value, 0.15);
  });

  it("keeps settings apart by their name", async () => {
    const { findings, table } = await plotMethods({ attacked: { one: [attacked[0]!], two: [attacked[1]!] } });
    near(findingDifference(findings["two"]!.asrAttacked, findings["one"]!.asrAttacked)!.value, 0.2);
    assert.deepEqual(
      table.rows.map(({ name }) => name),
      ["one", "two"],
    );
  });
});

describe("plotOver()", () => {
  it("puts points by the number of merged models, and says what changes from the fewest to the most", async () => {
    const grown = [1, 2].map((count) => {
      const all = { a: { acc: 1, asr: 1 }, b: { acc: 1, asr: 1 } };
      const tasks = Object.fromEntries(Object.entries(all).slice(0, count));
      return sweepOf([pointOf({ method: "ties", acc: 0.9 - count / 10, asrAttacked: 1 - count / 4, tasks })]);
    });
    const { findings, table } = await plotOver(grown, { over: "models" });
    near(findings["ties"]!.asrDrop!.value, 0.25);
    near(findings["ties"]!.accDrop!.value, 0.1);
    assert.deepEqual(
      table.rows.map(({ x }) => x),
      ["1", "2"],
    );
  });
});

describe("figures of cells", () => {
  const captionOf = ({ figure }: { figure: { caption: string } }): string => figure.caption.replaceAll("\u00a0", " ");

  it("plotOver() draws DAM before its final stage in DAM's colour, with whiskers over the runs", async () => {
    const dam = (alpha: number, seed: number, stage: "masks" | "final") =>
      pointOf({ method: "dam", title: "DAM", alpha, seed, stage, acc: 0.8 + seed / 100, asrAttacked: 0.4 - alpha / 100 });
    const points = [1, 3].flatMap((alpha) => [0, 1].flatMap((seed) => [dam(alpha, seed, "masks"), dam(alpha, seed, "final")]));
    const plot = await plotOver([sweepOf(points)], { over: "alpha" });
    const { data } = plot.figure.specification;
    assert.equal(new Set(data.map((trace) => (trace["line"] as { color: string }).color)).size, 1);
    assert.ok(data.every((trace) => (trace["error_y"] as { array: number[] }).array.length === 2));
    assert.match(captionOf(plot), /means of up to 2 runs; whiskers: 95 % intervals by Student's t/);
  });

  it("plotMethods() draws settings of one method in its colour", async () => {
    const one = (acc: number) => [sweepOf([pointOf({ method: "dam", title: "DAM", acc, asrAttacked: 0.4 })])];
    const { figure } = await plotMethods({ attacked: { "M1 only": one(0.8), "M2 only": one(0.7) } });
    const { color } = figure.specification.data[0]!["marker"] as { color: string[] };
    assert.deepEqual(color, [styles.dam.colour, styles.dam.colour]);
  });

  it("captions say seed, engine and version where they are known", async () => {
    const d = join(deskFolder(), "clean");
    const { figures } = await compareCheckpoints({ base: join(deskFolder(), "pretrained"), models: { svhn: join(d, "svhn") } });
    assert.match(figures.norms.caption, /474,048 parameters a model; damlab \d/);
    assert.deepEqual(attackSeedNotes({ a: "trojvit/a-seed0", b: "trojvit/b-seed0" }), ["attack seed 0"]);
    assert.deepEqual(attackSeedNotes({ a: "trojvit/a-seed0", b: "own" }), ["attack seed 0"]);
    assert.deepEqual([taskName("resisc45"), taskName("own")], ["RESISC45", "own"]);
  });

  it("sketchTradeoff() keeps the hull below the dent, and the rest of the front to some alpha", async () => {
    const { figure } = await sketchTradeoff();
    const [reached, dent, hull] = figure.specification.data as unknown as { x: number[]; y: (number | null)[] }[];
    const inside = dent!.x.filter((x, index) => dent!.y[index] !== null && x > hull!.x[0]! && x < hull!.x[1]!);
    assert.ok(inside.length > 10);
    for (const x of inside) {
      const share = (x - hull!.x[0]!) / (hull!.x[1]! - hull!.x[0]!);
      const index = dent!.x.indexOf(x);
      assert.ok(dent!.y[index]! > hull!.y[0]! + share * (hull!.y[1]! - hull!.y[0]!));
      assert.equal(reached!.y[index], null);
    }
    assert.match(figure.caption, /nothing is measured/);
  });
});

describe("judgeSweeps()", () => {
  it("compares DAM with AdaMerging as it is, along alpha, and at equal ACC", async () => {
    const dam = (alpha: number, acc: number, asrAttacked: number) => pointOf({ method: "dam", alpha, seed: 0, acc, asrAttacked });
    const points = [pointOf({ method: "adamerging", seed: 0, acc: 0.85, asrAttacked: 0.7 }), dam(1, 0.84, 0.6), dam(10, 0.8, 0.5)];
    const { findings, table } = await judgeSweeps([sweepOf(points)], { alpha: 1 });
    near(findings.asrDrop!.value, 0.1);
    near(findings.accCost!.value, 0.01);
    near(findings.asrRange!.value, 0.1);
    assert.equal(findings.onFront.value, 1);
    assert.deepEqual(
      table.rows.map(({ alpha, hull }) => [alpha, hull]),
      [
        ["1", "yes"],
        ["10", "yes"],
      ],
    );
  });

  it("says over how many runs the means are, and gives no interval, for what it says of means alone", async () => {
    const points = [0, 1, 2].flatMap((seed) => [
      pointOf({ method: "adamerging", seed, acc: 0.85, asrAttacked: 0.7 }),
      pointOf({ method: "dam", alpha: 1, seed, acc: 0.84, asrAttacked: 0.6 + 0.01 * seed }),
      pointOf({ method: "dam", alpha: 10, seed, acc: 0.84, asrAttacked: 0.5 }),
    ]);
    const { findings } = await judgeSweeps([sweepOf(points)], { alpha: 1 });
    assert.deepEqual(findings.onFront, { value: 0.5, interval: null, count: 3, over: "runs", unit: "rate" });
    assert.equal(findings.hypervolume.count, 3);
    assert.equal(findings.asrDrop!.count, 3);
  });
});

describe("plotHistory()", () => {
  it("averages losses over windows of steps and leaves out steps without them", async () => {
    const history = [{ entropy: 1 }, { entropy: 3 }, { performance: 5 }, { performance: 7, sharedDensity: 0.5 }];
    const { figure } = await plotHistory({ history, title: "run" }, { window: 2 });
    const lines = figure.specification.data.map(({ name, x, y }) => [name, x, y]);
    assert.deepEqual(lines, [
      ["entropy, f₀", [1], [2]],
      ["L_perf", [3], [6]],
      ["M1", [3], [50]],
    ]);
  });
});

describe("comparePruned()", () => {
  it("weighs layers by the task vectors' squared norms", async () => {
    const layer = (attacked: number, clean: number, square: number) =>
      ({ prunedOfTasks: { a: attacked, b: clean }, squares: { a: square, b: square } }) as never;
    const { findings } = await comparePruned({ layers: [layer(1, 0, 3), layer(0, 1, 1)], attacked: { a: "t" } });
    // a: (1·3 + 0·1)/4 = .75, b: (0·3 + 1·1)/4 = .25.
    near(findings.excess!.value, 0.5);
  });
});

describe("saveFigures()", () => {
  it("writes vector graphics of one and two columns' width", async () => {
    const folder = mkdtempSync(join(tmpdir(), "damlab-figures-"));
    try {
      const figure = linesFigure([{ title: "y", series: [{ name: "a", x: [0, 1], y: [1, 2] }] }]);
      await saveFigures({ one: figure }, { folder, formats: ["svg"] });
      assert.deepEqual(readdirSync(folder).sort(), ["one-3.3in.svg", "one-7in.svg"]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe("compareCheckpoints()", () => {
  it("gives norms and cosines of task vectors", async () => {
    const base = join(deskFolder(), "pretrained");
    const { table, figures } = await compareCheckpoints({ base, models: { same: base, mnist: join(deskFolder(), "clean", "mnist") } });
    assert.equal(table.rows[0]!["norm"], 0);
    assert.ok((table.rows[1]!["relative"] as number) > 0.01);
    const [{ z }] = figures.cosines.specification.data as unknown as [{ z: (number | null)[][] }];
    assert.equal(z[0]![0], null);
    near(z[1]![1]!, 1);
  });
});
