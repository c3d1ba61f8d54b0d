import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { HashedSet } from "./fixtures/hashImages";

const SCRIPT = join(__dirname, "fixtures", "hashImages.ts");
const HASHES = join(__dirname, "fixtures", "imageHashes.json");

/** Draws in a process of its own, so that the two halves (each some 15 s of work) run side by side. */
async function hashImages(...parts: string[]): Promise<HashedSet[]> {
  const { stdout } = await promisify(execFile)(process.execPath, ["-r", "tsx/cjs", SCRIPT, ...parts], { maxBuffer: 2 ** 26 });
  return JSON.parse(stdout) as HashedSet[];
}

describe("all images of the desk suite", function () {
  this.timeout(300_000);
  let sets: HashedSet[];

  before(async () => {
    sets = (await Promise.all([hashImages("tasks", "auxiliary"), hashImages("weak")])).flat();
  });

  it("loadTask() and loadPretrainingSet() give no image twice, within or across splits and pre-training", () => {
    const owner = new Map<string, string>();
    for (const { name, images } of sets) {
      images.forEach((hash, index) => {
        const before = owner.get(hash);
        assert.equal(before, undefined, `image ${index} of ${name} is also ${before}`);
        owner.set(hash, `image ${index} of ${name}`);
      });
    }
    // 5 procedural tasks: 3 * 6000 + 2 * 4000 train, 5 * 2000 others; MNIST all 10000 digits; 30000 weak and 16000 auxiliary images.
    assert.equal(owner.size, 26_000 + 10_000 + 10_000 + 46_000);
  });

  it("loadTask() and loadPretrainingSet() give the committed bytes", () => {
    const hashes = Object.fromEntries(sets.map(({ name, sha256 }) => [name, sha256]));
    assert.deepEqual(hashes, JSON.parse(readFileSync(HASHES, "utf8")));
  });
});
