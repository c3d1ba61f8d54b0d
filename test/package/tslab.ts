import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { specifiers } from "./rooms";

interface Outcome {
  readonly ok: boolean;
  readonly printed: string;
  readonly complaints: string;
}

/** Runs cells one after the other in one session of stock tslab, in a notebook's folder. */
export function runCells(folder: string, cells: readonly string[]): Outcome[] {
  const driver = join(__dirname, "tslabCells.cjs");
  const { stdout, stderr } = spawnSync(process.execPath, [driver], { cwd: folder, input: JSON.stringify(cells), encoding: "utf8" });
  assert.match(stdout, /^\[/, stderr);
  return JSON.parse(stdout) as Outcome[];
}

/** In a notebook's folder, the root and every subpath can be imported, and their types are known. */
export function assertTslabImports(folder: string): void {
  const imports = specifiers.map((specifier, index) => `import * as module${index} from "${specifier}";`);
  const counts = specifiers.map((_, index) => `Object.keys(module${index}).length`);
  const [all, draw, wrong] = runCells(folder, [
    `${imports.join("\n")}\nconsole.log(JSON.stringify([${counts.join(", ")}]));`,
    'import { randomStream } from "damlab/engine";\nconst word: number = randomStream(0, "tslab").word();\nconsole.log(word);',
    'const text: string = randomStream(0, "tslab").word();',
  ]);
  assert.equal(all?.complaints, "");
  for (const [index, count] of (JSON.parse(all!.printed) as number[]).entries())
    assert.ok(count > 0, `${specifiers[index]} exports nothing`);
  assert.deepEqual([draw?.complaints, /^\d+$/.test(draw!.printed)], ["", true]);
  // If the types were unknown, everything would be `any`, and this cell would pass.
  assert.equal(wrong?.ok, false);
  assert.match(wrong!.complaints, /Type 'number' is not assignable to type 'string'/);
}
