// Mocha's spec reporter, which also writes its counts to the file named by DAMLAB_TEST_COUNTS, for those who add up several runners, and
// what failed to a file of that name with ".failures" behind it.
"use strict";
const { writeFileSync } = require("node:fs");
const { reporters } = require("mocha");

/** Longest description of one failure, in characters. */
const MAX_DETAILS = 2000;

module.exports = class Reporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const failures = [];
    runner.on("fail", (test, error) => failures.push(describe(test, error)));
    runner.once("end", () => {
      const { passes, failures: failed, pending } = runner.stats;
      const file = process.env.DAMLAB_TEST_COUNTS;
      if (!file) return;
      writeFileSync(`${file}.failures`, failures.join(""));
      writeFileSync(file, `${passes} passed, ${failed} failed, ${pending} skipped\n`);
    });
  }
};

/** File, whole title and error of a test or hook; a hook that fails takes all later tests of its `describe` along. */
function describe(test, error) {
  const details = String(error?.stack ?? error?.message ?? error).slice(0, MAX_DETAILS);
  return `${test.file ?? "unknown file"}: ${test.fullTitle()}\n${details}\n`;
}
