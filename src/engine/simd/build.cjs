#!/usr/bin/env node
/**
 * Compiles kernels.as.ts into kernels.wasm.ts (base64), byte for byte the same everywhere. With --check it writes nothing and fails when
 * the committed file is not what the source gives.
 */
const { readFileSync, writeFileSync } = require("node:fs");
const path = require("node:path");

const OPTIONS = ["-O3", "--runtime", "stub", "--importMemory", "--noAssert", "--enable", "simd", "--enable", "bulk-memory"];

async function main() {
  const { default: asc } = await import("assemblyscript/asc");
  const source = readFileSync(path.join(__dirname, "kernels.as.ts"), "utf8");
  let binary;
  const { error, stderr } = await asc.main(["kernels.as.ts", "--outFile", "kernels.wasm", ...OPTIONS], {
    readFile: (name) => (name === "kernels.as.ts" ? source : null),
    writeFile: (name, contents) => {
      if (name.endsWith(".wasm")) binary = Buffer.from(contents);
    },
    listFiles: () => [],
  });
  if (error) throw new Error(`${error.message}\n${stderr}`);
  const text = [
    "/** Made from kernels.as.ts by `npm run simd`; do not edit. */",
    `export const SIMD_KERNELS_BASE64 =\n  "${binary.toString("base64")}";`,
    "",
  ].join("\n");
  const target = path.join(__dirname, "kernels.wasm.ts");
  if (!process.argv.includes("--check")) writeFileSync(target, text);
  else if (readFileSync(target, "utf8") !== text)
    throw new Error("kernels.wasm.ts is not what kernels.as.ts compiles to: run npm run simd");
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
