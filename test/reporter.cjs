// Mocha's spec reporter, which also writes its counts to the file named by DAMLAB_TEST_COUNTS, for those who add up several runners.
"use strict";
const { writeFileSync } = require("node:fs");
const { reporters } = require("mocha");

module.exports = class Reporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once("end", () => {
      const { passes, failures, pending } = runner.stats;
      const file = process.env.DAMLAB_TEST_COUNTS;
      if (file) writeFileSync(file, `${passes} passed, ${failures} failed, ${pending} skipped\n`);
    });
  }
};
