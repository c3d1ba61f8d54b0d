#!/usr/bin/env node
// The `damlab` command. In a clone it first brings dist up to date (no install script could have built it); in the package dist is there.
"use strict";
const { existsSync } = require("node:fs");
const { join } = require("node:path");

const build = join(__dirname, "build.cjs");
try {
  if (existsSync(build)) require(build).refresh();
  void require("../../dist/cli/main.js").main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`damlab: ${process.env.DAMLAB_DEBUG === "1" ? error.stack : String(error.message).split("\n", 1)[0]}\n`);
  process.exitCode = 1;
}
