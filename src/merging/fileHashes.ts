import { createHash } from "node:crypto";
import { closeSync, openSync, readSync, statSync } from "node:fs";
import * as path from "node:path";
import { Worker } from "node:worker_threads";

const chunkBytes = 2 ** 22;
const workerFromBytes = 2 ** 24;

/** The sha256 of a file's bytes, in hexadecimal. */
export function hashFile(file: string): string {
  const hash = createHash("sha256");
  const chunk = Buffer.allocUnsafeSlow(Math.max(1, Math.min(chunkBytes, statSync(file).size)));
  const descriptor = openSync(file, "r");
  try {
    for (let count = 1; count > 0;) {
      count = readSync(descriptor, chunk, 0, chunk.length, null);
      hash.update(chunk.subarray(0, count));
    }
  } finally {
    closeSync(descriptor);
  }
  return hash.digest("hex");
}

/** Hashes that are being taken; `stop` gives up on them, whose promise then never settles. */
export interface RunningHashes {
  readonly hashes: Promise<ReadonlyMap<string, string>>;
  stop(): Promise<void>;
}

/** Takes the sha256 of files, large ones in a thread of their own so that other work goes on meanwhile. */
export function hashFiles(files: readonly string[]): RunningHashes {
  const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
  if (bytes < workerFromBytes) {
    return { hashes: Promise.resolve(new Map(files.map((file) => [file, hashFile(file)]))), stop: async () => undefined };
  }
  const worker = new Worker(path.join(__dirname, `hashWorker${path.extname(__filename)}`), { workerData: files });
  const hashes = new Promise<ReadonlyMap<string, string>>((resolve, reject) => {
    worker.once("message", (found: ReadonlyMap<string, string>) => resolve(found));
    worker.once("error", reject);
  });
  hashes.catch(() => undefined);
  return { hashes, stop: async () => void (await worker.terminate()) };
}
