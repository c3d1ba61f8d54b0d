#!/usr/bin/env node
/**
 * Compiles kernels.as.ts, vectors.as.ts and merges.as.ts, with what they import, into ….wasm.ts (base64), byte for byte the same everywhere.
 * With --check it writes nothing and fails when a committed file is not what its source gives.
 */
const { readFileSync, writeFileSync } = require("node:fs");
const path = require("node:path");

const OPTIONS = ["-O3", "--runtime", "stub", "--noAssert", "--enable", "simd", "--enable", "bulk-memory"];
const MODULES = [
  { name: "kernels", constant: "SIMD_KERNELS_BASE64", options: ["--importMemory"] },
  { name: "vectors", constant: "SIMD_VECTORS_BASE64", options: ["--importMemory"] },
  { name: "merges", constant: "SIMD_MERGES_BASE64", options: ["--importMemory"] },
];

async function compile(asc, { name, constant, options }) {
  const file = `${name}.as.ts`;
  let binary;
  const { error, stderr } = await asc.main([file, "--outFile", `${name}.wasm`, ...OPTIONS, ...options], {
    readFile: (wanted) => (wanted.endsWith(".as.ts") ? readFileSync(path.join(__dirname, wanted), "utf8") : null),
    writeFile: (written, contents) => {
      if (written.endsWith(".wasm")) binary = Buffer.from(contents);
    },
    listFiles: () => [],
  });
  if (error) throw new Error(`${error.message}\n${stderr}`);
  const text = [
    `/** Made from ${file} by \`npm run simd\`; do not edit. */`,
    `export const ${constant} =\n  "${binary.toString("base64")}";`,
    "",
  ].join("\n");
  const target = path.join(__dirname, `${name}.wasm.ts`);
  if (!process.argv.includes("--check")) writeFileSync(target, text);
  else if (readFileSync(target, "utf8") !== text) throw new Error(`${name}.wasm.ts is not what ${file} compiles to: run npm run simd`);
}

async function main() {
  const { default: asc } = await import("assemblyscript/asc");
  for (const module of MODULES) await compile(asc, module);
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
