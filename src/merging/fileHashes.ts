import { statSync } from "node:fs";
import * as path from "node:path";
import { Worker } from "node:worker_threads";
import { hashFile } from "../checkpoints/hashFile";

const workerFromBytes = 2 ** 24;

/** Hashes that are being taken; `stop` gives up on them, whose promise then never settles. */
export interface RunningHashes {
  readonly hashes: Promise<ReadonlyMap<string, string>>;
  stop(): Promise<void>;
}

/** Takes the sha256 of files, large ones in a thread of their own so that other work goes on meanwhile. */
export function hashFiles(files: readonly string[]): RunningHashes {
  const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
  if (bytes < workerFromBytes) {
    const hashes = hashAll(files);
    hashes.catch(() => undefined);
    return { hashes, stop: async () => undefined };
  }
  const worker = new Worker(path.join(__dirname, `hashWorker${path.extname(__filename)}`), { workerData: files });
  const hashes = new Promise<ReadonlyMap<string, string>>((resolve, reject) => {
    worker.once("message", (found: ReadonlyMap<string, string>) => resolve(found));
    worker.once("error", reject);
  });
  hashes.catch(() => undefined);
  return { hashes, stop: async () => void (await worker.terminate()) };
}

/** One after another. */
export async function hashAll(files: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const hashes = new Map<string, string>();
  for (const file of files) hashes.set(file, await hashFile(file));
  return hashes;
}
