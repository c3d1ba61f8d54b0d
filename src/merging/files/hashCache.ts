/**
 * @file What is known about files that were hashed before: their sha256, by what the system says of them. A file counts as unchanged while device,
 * number, size, and both times (of its content and of its state, which no program can set) are the same to the nanosecond. A file that has changed
 * shortly before it was hashed is not remembered, because a further change might leave the same times.
 */
import type { BigIntStats } from "node:fs";
import { readFile } from "node:fs/promises";
import * as path from "node:path";
import envPaths from "env-paths";
import { writeFileAtomic } from "../../checkpoints";

/** A file's hash. */
export interface KnownHash {
  readonly sha256: string;
  /** When it was taken from the file's bytes, ISO 8601. */
  readonly hashed: string;
}

/** Files that are remembered. */
const MOST_FILES = 4096;
/** Age of a change from which on the next one has other times, on every file system. */
const SETTLED_MS = 5000;

/** Where hashes are kept: `DAMLAB_CACHE` where it is set, else the user's cache folder. */
export function hashCacheFile(): string {
  return path.join(process.env["DAMLAB_CACHE"] || envPaths("damlab", { suffix: "" }).cache, "file-hashes.json");
}

/** The hash of an unchanged file; undefined if it is not known. */
export async function findHash(state: BigIntStats): Promise<KnownHash | undefined> {
  return (await readAll()).get(keyOf(state));
}

/**
 * Remembers hashes.
 * @param began When the reading began.
 */
export async function keepHashes(taken: readonly (readonly [BigIntStats, KnownHash])[], began: Date): Promise<void> {
  const settled = taken.filter(([{ mtimeMs, ctimeMs }]) => BigInt(began.getTime() - SETTLED_MS) > (mtimeMs > ctimeMs ? mtimeMs : ctimeMs));
  if (settled.length === 0) return;
  const all = await readAll();
  for (const [state, hash] of settled) {
    all.delete(keyOf(state));
    all.set(keyOf(state), hash);
  }
  const newest = [...all].slice(-MOST_FILES);
  // Where nothing can be kept, the files are read again next time.
  await writeFileAtomic(hashCacheFile(), `${JSON.stringify(Object.fromEntries(newest))}\n`).catch(() => undefined);
}

function keyOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
}

async function readAll(): Promise<Map<string, KnownHash>> {
  try {
    const stored = JSON.parse(await readFile(hashCacheFile(), "utf8")) as Record<string, KnownHash>;
    return new Map(Object.entries(stored).filter(([, hash]) => /^[0-9a-f]{64}$/.test(hash.sha256) && typeof hash.hashed === "string"));
  } catch {
    return new Map();
  }
}
