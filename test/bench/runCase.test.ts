import assert from "node:assert/strict";
import { runCase } from "../../bench/harness/runCase";
import type { BenchCase, Contestant } from "../../bench/harness/types";
import { skipBecause } from "../skip";

function script(name: string, code: string): Contestant {
  return { name, program: process.execPath, words: ["-e", code] };
}

/** Answers round n with n seconds times the factor. */
const counting = (factor: number): string => `
  let n = 0;
  console.log(JSON.stringify({ ready: { library: "1.0" } }));
  process.stdin.on("data", (text) => { for (const _ of String(text).trim().split("\\n")) console.log(JSON.stringify({ seconds: ++n * ${factor}, passes: 5 })); });
`;

const base: Pick<BenchCase, "name" | "title" | "rounds"> = { name: "made-up", title: "nothing", rounds: 2 };

describe("bench/runCase", () => {
  it("runCase() leaves the warm-up out, divides by each, and gives ratios, facts and memory", async () => {
    const result = await runCase(
      {
        ...base,
        ours: [{ ...script("ours", counting(2)), each: 2, bar: { speed: 3, seconds: 2 } }],
        references: [script("theirs", counting(4))],
      },
      () => undefined,
    );
    // rounds 2 and 3 count: ours 4/2 and 6/2, theirs 8 and 12
    assert.deepEqual(result.measured.map(({ seconds }) => seconds), [[2, 3], [8, 12]]); // prettier-ignore
    assert.equal(result.ratios[0]!.speed, 4);
    assert.equal(result.ratios[0]!.reached, true);
    assert.deepEqual(result.limits, [{ ours: "ours", what: "seconds", value: 2.5, limit: 2, reached: false }]);
    assert.deepEqual(result.measured[0]!.facts, { library: "1.0", passes: 5 });
    if (process.platform === "linux") assert.ok(result.measured[0]!.peakBytes! > 1e6);
  });

  it("runCase() compares the memory held after the last round with that after the first", async function () {
    if (process.platform !== "linux") skipBecause(this, "only Linux tells what memory a process holds");
    const keeping = (bytes: number): string => `
      const kept = [];
      console.log(JSON.stringify({ ready: {} }));
      process.stdin.on("data", () => { kept.push(Buffer.alloc(${bytes}, 1)); console.log(JSON.stringify({ seconds: 1 })); });
    `;
    const ours = [
      { ...script("steady", keeping(1)), bar: { growth: 1.5 } },
      { ...script("leaking", keeping(1e8)), bar: { growth: 1.5 } },
    ];
    const { limits } = await runCase({ ...base, warmUps: 0, rounds: 4, ours, references: [] }, () => undefined);
    assert.deepEqual(limits.map(({ ours: name, what, reached }) => [name, what, reached]), [["steady", "growth", true], ["leaking", "growth", false]]); // prettier-ignore
    assert.ok(limits[1]!.value > 1.7 && limits[1]!.value < 4.1, String(limits[1]!.value));
  });

  it("runCase() skips references without Python or packages, with the reason", async () => {
    const result = await runCase(
      {
        ...base,
        ours: [script("ours", counting(1))],
        references: [
          { name: "no Python", program: "/nonexistent/python3", words: [] },
          script("no torch", `console.log(JSON.stringify({ missing: "No module named 'torch'" }))`),
        ],
      },
      () => undefined,
    );
    assert.match(result.skipped["no Python"]!, /Cannot start "\/nonexistent\/python3"/);
    assert.equal(result.skipped["no torch"], "No module named 'torch'");
    assert.deepEqual(result.ratios, []);
  });

  it("runCase() with apart warms each process up and ends it before the next", async () => {
    const result = await runCase(
      { ...base, apart: true, ours: [script("ours", counting(1))], references: [script("theirs", counting(3))] },
      () => undefined,
    );
    assert.deepEqual(result.measured.map(({ seconds }) => seconds), [[2, 2], [6, 6]]); // prettier-ignore
    assert.equal(result.ratios[0]!.speed, 3);
  });

  it("runCase() fails with what a contestant of ours wrote", async () => {
    const ours = [script("ours", `console.error("out of tokens"); process.exit(3)`)];
    await assert.rejects(
      runCase({ ...base, ours, references: [] }, () => undefined),
      /"ours" ended with code 3: out of tokens/,
    );
  });
});
