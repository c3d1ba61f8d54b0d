import { fstatSync, type BigIntStats } from "node:fs";
import { findHash, keepHashes, type KnownHash } from "./hashCache";
import type { MergeThreads } from "./mergeThreads";
import { SHARED } from "./slices";

/** An open file. */
export interface OpenFile {
  readonly path: string;
  /** Good until all has been said about the file. */
  readonly descriptor: number;
}

/**
 * The sha256 of files that are open. Those that were hashed before, and have not changed since, are not read again; the others are read once
 * `take()` is called.
 */
export class FileHashes {
  private readonly shared = new Int32Array(new SharedArrayBuffer(4 * SHARED.length));
  private readonly states: ReadonlyMap<string, BigIntStats>;
  private taking: Promise<ReadonlyMap<string, KnownHash>> | undefined;

  /** @param rehash Whether all are read, known or not. */
  constructor(
    private readonly files: readonly OpenFile[],
    private readonly threads: MergeThreads,
    private readonly rehash = false,
  ) {
    this.states = new Map(files.map(({ path, descriptor }) => [path, fstatSync(descriptor, { bigint: true })]));
  }

  /** Bytes of all files together. */
  static bytes(files: readonly OpenFile[]): number {
    return files.reduce((sum, { descriptor }) => sum + fstatSync(descriptor).size, 0);
  }

  /**
   * The hashes by path, and when they were taken.
   * @throws {Error} if a file has changed since this object was made.
   */
  take(): Promise<ReadonlyMap<string, KnownHash>> {
    this.taking ??= this.takeAll();
    this.taking.catch(() => undefined);
    return this.taking;
  }

  /** Gives up; waits until no thread reads any more. */
  async stop(): Promise<void> {
    Atomics.store(this.shared, SHARED.stop, 1);
    await this.taking?.catch(() => undefined);
  }

  /** @throws {Error} if a file is not what it was when this object was made. */
  checkUnchanged(): void {
    for (const { path, descriptor } of this.files) {
      const [before, now] = [this.states.get(path)!, fstatSync(descriptor, { bigint: true })];
      if (now.size === before.size && now.mtimeNs === before.mtimeNs) continue;
      throw new Error(`Cannot merge ${JSON.stringify(path)}: expected the file to stay as it was, it has changed while it was read`);
    }
  }

  private async takeAll(): Promise<ReadonlyMap<string, KnownHash>> {
    const began = new Date();
    const taken: [BigIntStats, KnownHash][] = [];
    const known = await Promise.all(
      this.files.map(async ({ path, descriptor }) => {
        const state = this.states.get(path)!;
        const found = this.rehash ? undefined : await findHash(state);
        if (found !== undefined) return found;
        const hash = { sha256: await this.hash(descriptor, Number(state.size)), hashed: began.toISOString() };
        taken.push([state, hash]);
        return hash;
      }),
    );
    this.checkUnchanged();
    if (!Atomics.load(this.shared, SHARED.stop)) await keepHashes(taken, began);
    return new Map(this.files.map(({ path }, index) => [path, known[index]!]));
  }

  /** The sha256 of the first bytes of an open file, on one of the threads. */
  hash(descriptor: number, bytes: number): Promise<string> {
    return this.threads.run<string>("hashBytes", { descriptor, bytes, shared: this.shared });
  }
}
