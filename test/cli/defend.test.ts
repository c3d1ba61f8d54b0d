import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { closeSharedWorkers, type SweepPoint, type SweptAlpha } from "../../src/cells";
import { reportDefence, type DefenceDocument } from "../../src/cli/defence";
import { dominates, hypervolume } from "../../src/selection";
import { writePicoZoo } from "../cells/fixtures/picoZoo";
import { damlab } from "./damlab";

const SHORT = ["--split", "validation", "--images", "20", "--steps", "1", "--option", "dam.batchSize=4"];

describe("damlab defend", () => {
  let folder: string;
  const kept = { DAMLAB_CACHE: process.env["DAMLAB_CACHE"], DAMLAB_WORKERS: process.env["DAMLAB_WORKERS"] };

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "damlab-defend-"));
    process.env["DAMLAB_CACHE"] = path.join(folder, "cache");
    // Starting threads takes longer than these merges.
    process.env["DAMLAB_WORKERS"] = "1";
    await writePicoZoo(path.join(folder, "zoo"));
  });
  after(async () => {
    for (const [name, value] of Object.entries(kept)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    await closeSharedWorkers();
    await rm(folder, { recursive: true });
  });

  /** Runs the command in this process, with few steps and images. */
  const defend = (...args: string[]) => damlab("defend", ...args, "--suite", path.join(folder, "zoo"), ...SHORT);
  const few = ["--methods", "task_arithmetic,adamerging,dam", "--attacked", "resisc45,eurosat", "--attack", "trojvit"];

  it("prints one document of the declared form, and writes the same beside a picture", async () => {
    const out = path.join(folder, "out");
    const { code, stdout, stderr } = await defend(...few, "--zoo-seed", "0", "--seed", "0", "--alpha", "0.5", "--json", "--out", out);
    assert.equal(code, 0, stderr);
    const found = JSON.parse(stdout) as DefenceDocument;
    assert.deepEqual(Object.keys(found), ["methods", "front", "hypervolume", "baselineHypervolume", "gap", "provenance"]);
    assert.deepEqual(Object.keys(found.methods).sort(), ["adamerging", "dam", "dam_before_final", "task_arithmetic"]);
    const { dam, task_arithmetic: arithmetic } = found.methods;
    assert.deepEqual([dam!.alpha, dam!.scale, arithmetic!.alpha, arithmetic!.scale], [0.5, 1, null, 0.3]);
    for (const method of Object.values(found.methods)) {
      assert.deepEqual(Object.keys(method.tasks), ["mnist", "cars", "resisc45", "eurosat", "svhn", "dtd"]);
      for (const rate of [method.acc, method.asrAttacked, method.asrClean, method.asrAll])
        assert.ok(rate !== null && rate >= 0 && rate <= 1);
    }
    assert.equal(typeof dam!.floor, "number");
    const { tasks } = dam!;
    assert.ok(Math.abs(dam!.asrAttacked! - (tasks["resisc45"]!.asr! + tasks["eurosat"]!.asr!) / 2) < 1e-12);
    const keys = ["method", "alpha", "scale", "seed", "acc", "asrAttacked", "asrAll", "dominated"];
    for (const entry of found.front) assert.deepEqual(Object.keys(entry), keys);
    // 6 scales each of two baselines, DAM before and after its final stage.
    assert.equal(found.front.length, 14);
    const plane = found.front.map(({ acc, asrAttacked }) => ({ acc, asr: asrAttacked! }));
    assert.equal(found.hypervolume, hypervolume(plane));
    found.front.forEach(({ dominated }, i) =>
      assert.equal(
        dominated,
        plane.some((other) => dominates(other, plane[i]!)),
      ),
    );
    assert.deepEqual([found.gap!.pairs, found.gap!.interval], [1, null]);
    assert.match(found.provenance.key, /^[0-9a-f]{64}$/);
    assert.deepEqual((await readdir(out)).sort(), ["front.png", "run.json", "table.txt"]);
    const written = JSON.parse(await readFile(path.join(out, "run.json"), "utf8")) as DefenceDocument;
    assert.deepEqual(written.methods, found.methods);
  });

  it("prints a table, and takes several seeds for an interval", async () => {
    const { code, stdout, stderr } = await defend(...few, "--seed", "0,1", "--alpha", "0.5", "--no-floors");
    assert.equal(code, 0, stderr);
    assert.match(stdout, /DAM, before the final stage +α = 0\.5/);
    assert.match(stdout, /95 % interval/);
  });

  it("names what is wrong and writes nothing", async () => {
    const mine = path.join(folder, "mine");
    await writeFile(mine, "thesis");
    const failures: [string[], number, RegExp][] = [
      [["--alpha", "much"], 2, /Cannot read "much": expected a number/],
      [["--images", "0"], 2, /expected a positive integer/],
      [["--option", "dam"], 2, /expected METHOD.KEY=VALUE/],
      [["--attacked", ""], 2, /at least one task/],
      [["--option", "dam.alhpa=1"], 1, /unknown key "options.alhpa", did you mean "alpha"\?/],
      [["--attacked", "resisc"], 1, /expected different tasks of mnist/],
      [["--zoo-seed", "7"], 1, /with seed 7: expected it in suite/],
      [["--out", mine], 1, /Cannot write/],
    ];
    for (const [args, code, reason] of failures) {
      const failed = await defend(...args);
      assert.deepEqual([failed.code, failed.stdout], [code, ""], args.join(" "));
      assert.match(failed.stderr, reason);
    }
  });
});

describe("reportDefence()", () => {
  const point = (method: string, seed: number | null, acc: number, asrAttacked: number, more: Partial<SweepPoint> = {}): SweepPoint => ({
    ...{ method, title: method, alpha: method === "dam" ? 1 : null, scale: method === "dam" ? 1 : 0.3, seed, stage: "final" },
    ...{ acc, asrAttacked, asrClean: null, asrAll: null, floor: null, tasks: {}, view: null },
    ...more,
  });

  it("reportDefence() compares each seed with its own baselines", () => {
    const points = [
      point("task_arithmetic", null, 0.8, 0.6),
      point("adamerging", 0, 0.9, 0.8, { scale: 1 }),
      point("adamerging", 1, 0.9, 0.7, { scale: 1 }),
      point("dam", 0, 0.85, 0.5),
      point("dam", 1, 0.85, 0.6),
      point("dam", 0, 0.5, 0, { alpha: 9 }),
    ];
    const found = reportDefence({ points, provenance: { key: "" } } as unknown as SweptAlpha, 1, 0);
    // Baselines at ACC 0.85: 0.7 and 0.65; gaps 0.2 and 0.05.
    assert.ok(Math.abs(found.gap!.mean - 0.125) < 1e-12);
    assert.ok(Math.abs(found.methods["adamerging"]!.asrAttacked! - 0.75) < 1e-12);
    assert.equal(found.methods["dam"]!.acc, 0.85);
    assert.deepEqual(
      found.front.map(({ dominated }) => dominated),
      [true, true, false, false, true, false],
    );
  });

  it("reportDefence() takes purification for a defence, not for a baseline", () => {
    const purified = point("purify", 0, 0.85, 0.1, { scale: 1 });
    const document = (points: readonly SweepPoint[]) => reportDefence({ points, provenance: { key: "" } } as unknown as SweptAlpha, 1, 0);
    const baselines = [point("task_arithmetic", null, 0.8, 0.6), point("adamerging", 0, 0.9, 0.8, { scale: 1 })];
    assert.ok(Math.abs(document([...baselines, purified]).gap!.mean - 0.6) < 1e-12);
    const withDam = document([...baselines, point("dam", 0, 0.85, 0.5), purified]);
    assert.ok(Math.abs(withDam.gap!.mean - 0.2) < 1e-12);
    assert.equal(withDam.baselineHypervolume, document(baselines).hypervolume);
  });
});
