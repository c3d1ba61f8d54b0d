import * as assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { loadSuite, loadTaskVectors, mergeModels, purifyTaskVectors, ResultCache, subtractPretrained } from "../../src/cells";

const QUICK = { inspectSteps: 2, purgeSteps: 2, purgeBatchSize: 8, candidates: 4, seed: 5, purge: "all" } as const;

describe("purifyTaskVectors()", function () {
  this.timeout(120_000);
  let folder: string;
  before(async () => (folder = await mkdtemp(path.join(tmpdir(), "damlab-purify-"))));
  after(() => rm(folder, { recursive: true }));

  it("purifyTaskVectors() gives task vectors that merge, and finds a model that it knows in another merge", async () => {
    const suite = await loadSuite("desk");
    const settings = { cache: new ResultCache(folder) };
    const both = await loadTaskVectors(suite, { tasks: ["resisc45", "mnist"], backdoored: ["resisc45"] });
    const purified = await purifyTaskVectors.with(settings)(both, QUICK);
    assert.deepEqual(
      purified.inspections.map(({ task }) => task),
      ["resisc45", "mnist"],
    );
    assert.deepEqual(purified.attacked, both.attacked);
    for (const kept of Object.values(purified.kept)) assert.ok(kept > 0.5 && kept < 1);
    const [given, after] = [subtractPretrained(both)[0]!, subtractPretrained(purified)[0]!];
    const [name, { values }] = [...after].find(([key]) => key.includes("fc1.weight"))!;
    assert.ok(values.some((value, i) => Math.abs(value) < Math.abs(given.get(name)!.values[i]!)));
    const merged = await mergeModels(purified, { scaling: 0.2 });
    assert.deepEqual([...merged.parameters.keys()], [...both.pretrained.keys()]);

    const alone = await loadTaskVectors(suite, { tasks: ["resisc45"], backdoored: ["resisc45"] });
    const again = await purifyTaskVectors.with(settings)(alone, QUICK);
    assert.deepEqual(again.models[0]!.parameters.get(name), purified.models[0]!.parameters.get(name));
  });

  it("purifyTaskVectors() shows what it found: a table and the stickers", async () => {
    const suite = await loadSuite("desk");
    const vectors = await loadTaskVectors(suite, { tasks: ["mnist"] });
    const { text, html } = await shown(await purifyTaskVectors.with({ cache: new ResultCache(folder) })(vectors, QUICK));
    assert.match(text, /mnist.*nothing found/);
    assert.match(html, /<img alt="mnist"[^>]+src="data:image\/png;base64,/);
  });
});

async function shown(result: object): Promise<{ text: string; html: string }> {
  const show = (result as Record<symbol, () => Promise<Record<string, string>>>)[Symbol.for("Jupyter.display")]!;
  const bundle = await show.call(result);
  return { text: bundle["text/plain"]!, html: bundle["text/html"]! };
}
