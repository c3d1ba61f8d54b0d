// Starts the kernel: `node start.cjs CONNECTION_FILE`. In a clone it first brings dist up to date; in the package dist is there.
"use strict";
const { existsSync } = require("node:fs");
const { join } = require("node:path");

const root = join(__dirname, "..", "..");
const build = join(root, "src", "cli", "build.cjs");
if (existsSync(build)) require(build).refresh();
void require(join(root, "dist", "kernel", "wire", "main.js")).main(process.argv[2]);
