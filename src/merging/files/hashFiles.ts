import { fstatSync, type BigIntStats } from "node:fs";
import { nativeHashing } from "../../engine/native/hashing";
import { findHash, keepHashes, type KnownHash } from "./hashCache";
import type { MergeThreads } from "./mergeThreads";
import { SHARED } from "./slices";

/** An open file. */
export interface OpenFile {
  readonly path: string;
  /** Good until all has been said about the file. */
  readonly descriptor: number;
}

/** The first bytes of an open file. */
export interface HashedBytes {
  readonly descriptor: number;
  readonly bytes: number;
}

interface Wanted extends HashedBytes {
  found(sha256: string): void;
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

  /** Begins to take the hashes, and that of another file, which is returned: with one more there are more pairs. To be called before `take()`. */
  takeBeside(other: HashedBytes): Promise<string> {
    return new Promise((resolve, reject) => {
      this.taking = this.takeAll({ ...other, found: resolve });
      this.taking.catch(reject);
    });
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

  private async takeAll(other?: Wanted): Promise<ReadonlyMap<string, KnownHash>> {
    const began = new Date();
    const hashes = new Map<string, KnownHash>();
    const taken: [BigIntStats, KnownHash][] = [];
    const wanted: Wanted[] = other ? [other] : [];
    for (const { path, descriptor } of this.files) {
      const state = this.states.get(path)!;
      const kept = this.rehash ? undefined : await findHash(state);
      if (kept !== undefined) hashes.set(path, kept);
      else {
        const found = (sha256: string): void => {
          const hash = { sha256, hashed: began.toISOString() };
          taken.push([state, hash]);
          hashes.set(path, hash);
        };
        wanted.push({ descriptor, bytes: Number(state.size), found });
      }
    }
    await this.hashAll(wanted);
    this.checkUnchanged();
    if (!Atomics.load(this.shared, SHARED.stop)) await keepHashes(taken, began);
    return new Map(this.files.map(({ path }) => [path, hashes.get(path)!]));
  }

  /** On the threads, two files at a time where one can; of like size, so that none is long alone. */
  private async hashAll(wanted: readonly Wanted[]): Promise<void> {
    const together = nativeHashing() === null ? 1 : 2;
    const ordered = wanted.toSorted((a, b) => b.bytes - a.bytes);
    const groups = Array.from({ length: Math.ceil(ordered.length / together) }, (_, index) =>
      ordered.slice(index * together, (index + 1) * together),
    );
    await Promise.all(
      groups.map(async (group) => {
        const files = group.map(({ descriptor, bytes }): HashedBytes => ({ descriptor, bytes }));
        const hashes = await this.threads.run<string[]>("hashBytes", { files, shared: this.shared });
        for (const [index, { found }] of group.entries()) found(hashes[index]!);
      }),
    );
  }
}
