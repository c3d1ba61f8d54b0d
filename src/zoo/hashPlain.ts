import { createHash } from "node:crypto";

/** Names what is built from it: the sha256 of plain data's JSON, in the order of its keys. */
export function hashPlain(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}
