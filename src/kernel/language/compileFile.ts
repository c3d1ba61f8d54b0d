import { readFileSync } from "node:fs";
import { compileModule } from "./localModules";

/** Compiles one TypeScript file from disk. */
export function compileFile(path: string): { javascript: string; sourceMap: string } {
  return compileModule(path, readFileSync(path, "utf8"));
}
