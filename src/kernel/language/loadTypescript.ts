import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import Module, { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Script } from "node:vm";
import envPaths from "env-paths";

/**
 * Loads TypeScript for `require("typescript")`, with V8's compiled code from a former start where there is some: parsing its nine megabytes
 * would take longer than all else in the start of a kernel.
 * @returns Keeps the compiled code for the next start, if there was none. To be called when the functions that matter have run once.
 */
export function loadTypescript(): () => void {
  const require = createRequire(__filename);
  const file = require.resolve("typescript");
  const folder = process.env.DAMLAB_CACHE || envPaths("damlab", { suffix: "" }).cache;
  const cacheFile = join(folder, "kernel", `typescript-${process.version}-${process.arch}.bin`);
  const cachedData = readIfThere(cacheFile);
  const wrapped = Module.wrap(readFileSync(file, "utf8"));
  const script = new Script(wrapped, { filename: file, ...(cachedData && { cachedData }) });
  const module = new Module(file);
  module.filename = file;
  module.paths = [];
  require.cache[file] = module;
  (script.runInThisContext() as (...parameters: unknown[]) => void)(module.exports, createRequire(file), module, file, dirname(file));
  module.loaded = true;
  const usable = cachedData !== undefined && script.cachedDataRejected !== true;
  return () => {
    if (!usable) writeQuietly(cacheFile, script.createCachedData());
  };
}

function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

/** A home that cannot be written costs time at the next start, no more. */
function writeQuietly(file: string, bytes: Uint8Array): void {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(temporary, bytes);
    renameSync(temporary, file);
  } catch {
    rmSync(temporary, { force: true });
  }
}
