/**
 * @file Values on disk, by key.
 *
 * A value is `FOLDER/KIND/CELL/KEY.json` (its tree, hashes and provenance) and, where it has arrays, `KEY-CONTENT.safetensors` beside it.
 * The tensors' file is named after its content and written first, the JSON last, each atomically; so any number of processes can read and
 * write one folder, and a killed one leaves nothing that a reader would believe. Whatever does not match its hashes counts as absent.
 */
import { readdir, readFile, rm, stat } from "node:fs/promises";
import * as path from "node:path";
import envPaths from "env-paths";
import { openSafetensors, writeFileAtomic, writeSafetensors } from "../checkpoints";
import { canonicalJson, sha256 } from "./canonicalJson";
import type { EncodedValue, StoredArray } from "./valueCodec";
import { contentHash, decodeValue, encodeValue, hashArrays } from "./valueCodec";

/** Where one value is kept: a result, or the state of an unfinished cell. */
export interface CacheAddress {
  readonly kind: "results" | "states";
  readonly cell: string;
  /** Content key, 64 hexadecimal digits. */
  readonly key: string;
}

/** What a cache holds of one cell. */
export interface CacheSize {
  readonly cell: string;
  readonly results: number;
  /** States of unfinished runs, from which they would go on. */
  readonly states: number;
  readonly bytes: number;
}

/** The folder of the user's cache: `DAMLAB_CACHE` where it is set, else where the system keeps such folders. */
export function defaultCacheFolder(): string {
  return path.join(process.env["DAMLAB_CACHE"] || envPaths("damlab", { suffix: "" }).cache, "cells");
}

/** A folder of values. Has no state of its own, so any number of them may share a folder. */
export class ResultCache {
  constructor(readonly folder: string = defaultCacheFolder()) {}

  /**
   * The value at an address; undefined where there is none.
   * @param onDamage Called where there is one that can't be trusted; it is removed and counts as absent.
   */
  async load(address: CacheAddress, onDamage?: (problem: string) => void): Promise<unknown> {
    const file = this.fileOf(address);
    const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (text === undefined) return undefined;
    try {
      const entry = parseEntry(text, address);
      const arrays =
        entry.tensors === null
          ? new Map<string, StoredArray>()
          : await readArrays(path.join(path.dirname(file), entry.tensors), entry.arrays);
      return decodeValue(entry.tree, arrays);
    } catch (error) {
      // Another process may have replaced a state between our two reads: then its JSON has changed too.
      if ((await readFile(file, "utf8").catch(() => undefined)) !== text) return this.load(address, onDamage);
      onDamage?.((error as Error).message);
      await this.remove(address);
      return undefined;
    }
  }

  /**
   * Stores a value; it is on disk when the promise resolves.
   * @param provenance Plain data that is kept beside it, for people who look into the folder.
   */
  async save(address: CacheAddress, value: unknown, provenance: unknown = null): Promise<void> {
    const file = this.fileOf(address);
    const encoded = encodeValue(value);
    const tensors = encoded.arrays.size === 0 ? null : `${address.key}-${contentHash(encoded).slice(0, 16)}.safetensors`;
    if (tensors !== null) await writeSafetensors(path.join(path.dirname(file), tensors), writableArrays(encoded));
    const entry = { ...address, provenance, tree: encoded.tree, tensors, arrays: hashArrays(encoded.arrays) };
    // Not canonical: the order of a value's keys is part of it.
    const body = JSON.stringify(entry);
    const replaced = await readFile(file, "utf8")
      .then((text) => parseEntry(text, address).tensors)
      .catch(() => null);
    await writeFileAtomic(file, `${entryHead(sha256(body))}${body}}\n`);
    // Only what the old JSON named: another process may just have written arrays whose JSON is still to come.
    if (replaced !== null && replaced !== tensors) await rm(path.join(path.dirname(file), replaced), { force: true });
  }

  /** Removes a value, if it is there. */
  async remove(address: CacheAddress): Promise<void> {
    const folder = path.dirname(this.fileOf(address));
    await rm(this.fileOf(address), { force: true });
    for (const name of await names(folder)) {
      if (name.startsWith(`${address.key}-`)) await rm(path.join(folder, name), { force: true });
    }
  }

  /** How much is kept, by cell. */
  async sizes(): Promise<CacheSize[]> {
    const sizes = new Map<string, { results: number; states: number; bytes: number }>();
    for (const kind of ["results", "states"] as const) {
      for (const cell of await names(path.join(this.folder, kind))) {
        const size = sizes.get(decodeURIComponent(cell)) ?? { results: 0, states: 0, bytes: 0 };
        for (const name of await names(path.join(this.folder, kind, cell))) {
          const found = await stat(path.join(this.folder, kind, cell, name)).catch(() => undefined);
          size.bytes += found?.size ?? 0;
          if (name.endsWith(".json")) size[kind]++;
        }
        sizes.set(decodeURIComponent(cell), size);
      }
    }
    return [...sizes].map(([cell, size]) => ({ cell, ...size })).sort((a, b) => (a.cell < b.cell ? -1 : 1));
  }

  /** Removes everything, or all of one cell. */
  async clear(cell?: string): Promise<void> {
    for (const kind of ["results", "states"]) {
      await rm(cell === undefined ? path.join(this.folder, kind) : path.join(this.folder, kind, safeName(cell)), {
        recursive: true,
        force: true,
      });
    }
  }

  private fileOf({ kind, cell, key }: CacheAddress): string {
    return path.join(this.folder, kind, safeName(cell), `${key}.json`);
  }
}

interface Entry {
  readonly tree: unknown;
  readonly tensors: string | null;
  readonly arrays: Readonly<Record<string, { readonly dtype: string; readonly shape: readonly number[]; readonly sha256: string }>>;
}

function entryHead(hash: string): string {
  return `{"sha256":"${hash}","entry":`;
}

function parseEntry(text: string, { key, cell }: CacheAddress): Entry {
  const headLength = entryHead("0".repeat(64)).length;
  const body = text.slice(headLength, -"}\n".length);
  if (text.slice(0, headLength) !== entryHead(sha256(body))) throw new Error("its JSON does not match its hash");
  const entry = JSON.parse(body) as Entry & CacheAddress;
  if (entry.key !== key || entry.cell !== cell) throw new Error("it belongs to another key");
  return entry;
}

async function readArrays(file: string, expected: Entry["arrays"]): Promise<Map<string, StoredArray>> {
  const source = await openSafetensors(file);
  try {
    const arrays = new Map<string, StoredArray>();
    for (const name of Object.keys(expected)) {
      const { dtype, shape } = source.entry(name);
      arrays.set(name, { dtype, shape, values: await source.readValues(name) });
    }
    if (canonicalJson(hashArrays(arrays)) !== canonicalJson(expected)) throw new Error("its arrays do not match their hashes");
    return arrays;
  } finally {
    await source.close();
  }
}

function* writableArrays({ arrays }: EncodedValue): Generator<StoredArray & { name: string }> {
  for (const [name, array] of arrays) yield { name, ...array };
}

async function names(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).filter((name) => !name.startsWith("."));
}

/** A cell's name as a folder: what a user may call a cell is not always a file name. */
function safeName(cell: string): string {
  return encodeURIComponent(cell).replaceAll(".", "%2E").replaceAll("*", "%2A");
}
