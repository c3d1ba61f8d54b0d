/**
 * @file Measures damlab and the reference stacks side by side, in one run: `npm run bench [-- NAME… | all] [--json] [--out FILE] [--rounds N] [--list]`.
 *
 * Each case runs ours and the references in turn, round by round, two threads each, every contestant in a process of its own. References need
 * Python (environment variable DAMLAB_BENCH_PYTHON, else `python3`) with the packages of bench/reference/requirements.txt; without them they are
 * skipped, visibly. Progress goes to stderr; the table, or with --json the whole report, to stdout.
 */
import { parseArgs } from "node:util";
import { writeFileAtomic } from "../src/checkpoints";
import { BENCH_CASES } from "./cases";
import { describeMachine, describeVersions } from "./harness/describe";
import { formatCase } from "./harness/formatReport";
import { runCase } from "./harness/runCase";
import type { BenchCase, BenchReport, CaseResult } from "./harness/types";

async function main(): Promise<void> {
  const { values: flags, positionals: names } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      rounds: { type: "string" },
      out: { type: "string" },
    },
  });
  if (flags.list) {
    for (const { name, title, onRequest } of BENCH_CASES)
      console.log(`${name.padEnd(24)} ${title}${onRequest ? " (only when named)" : ""}`);
    return;
  }
  const rounds = flags.rounds === undefined ? undefined : Number(flags.rounds);
  const results: CaseResult[] = [];
  for (const bench of selectCases(names)) {
    const result = await runCase(rounds === undefined ? bench : { ...bench, rounds }, (line) => process.stderr.write(`${line}\n`));
    results.push(result);
    if (!flags.json) console.log(formatCase(result));
    // After each case, so that a run that is cut short leaves what it has.
    if (flags.out !== undefined) await writeFileAtomic(flags.out, `${JSON.stringify(reportOf(results), null, 2)}\n`);
  }
  if (flags.json) console.log(JSON.stringify(reportOf(results), null, 2));
}

function reportOf(results: readonly CaseResult[]): BenchReport {
  return { machine: describeMachine(), versions: describeVersions(results), results };
}

/** A name takes the case, or all whose names begin with it and a hyphen; "all" takes all; no name, all but those on request. */
function selectCases(names: readonly string[]): BenchCase[] {
  if (names.length === 0) return BENCH_CASES.filter(({ onRequest }) => !onRequest);
  return names.flatMap((wanted) => {
    const found = BENCH_CASES.filter(({ name }) => wanted === "all" || name === wanted || name.startsWith(`${wanted}-`));
    if (found.length > 0) return found;
    throw new RangeError(`Cannot bench "${wanted}": expected one of ${BENCH_CASES.map(({ name }) => name).join(", ")}`);
  });
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
