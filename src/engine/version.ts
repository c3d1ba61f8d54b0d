import { readFileSync } from "node:fs";
import * as path from "node:path";

let version: string | undefined;

/** Version of this package. */
export function damlabVersion(): string {
  version ??= (JSON.parse(readFileSync(path.join(__dirname, "..", "..", "package.json"), "utf8")) as { version: string }).version;
  return version;
}
