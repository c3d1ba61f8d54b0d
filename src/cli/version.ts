import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The version of this package, from its manifest (which lies beside both `src` and `dist`). */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(join(__dirname, "..", "..", "package.json"), "utf8")) as { version: string }).version;
}
