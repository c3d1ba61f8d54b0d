import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

/** Bytes that are read at a time. */
const CHUNK_BYTES = 2 ** 22;

/** The sha256 of a file's bytes, in lower-case hexadecimal; the file is never whole in memory. */
export async function hashFile(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file, { highWaterMark: CHUNK_BYTES })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
