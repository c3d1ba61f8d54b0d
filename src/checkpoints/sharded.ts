import { open, realpath, stat, type FileHandle } from "node:fs/promises";
import * as path from "node:path";
import { quote, SafetensorsError } from "./errors";
import type { SafetensorsHeader, TensorEntry } from "./header";
import { decodeUtf8, MAX_HEADER_BYTES, openFile, SafetensorsFiles } from "./safetensorsFile";
import { parseStrictJson, type JsonValue } from "./strictJson";

/**
 * Opens a sharded checkpoint by its index (`model.safetensors.index.json`): every shard's header is read and checked against the index.
 * The shards' metadata are joined; where two shards disagree on a key, the first shard of the index wins.
 * @throws {SafetensorsError} if the index is malformed, a shard lies outside the index's folder, or index and shards don't hold exactly the
 * same tensors, each once.
 */
export async function openSharded(indexFile: string): Promise<SafetensorsFiles> {
  const weightMap = readWeightMap(await readIndexText(indexFile), indexFile);
  const folder = path.dirname(indexFile);
  const handles = new Map<string, FileHandle>();
  const shards = new Map<string, SafetensorsHeader>();
  try {
    for (const shard of new Set(weightMap.values())) {
      const file = await locateShard(indexFile, folder, shard);
      const { handle, header } = await openFile(file);
      handles.set(file, handle);
      shards.set(shard, header);
    }
    return new SafetensorsFiles(indexFile, joinShards(indexFile, weightMap, shards), handles);
  } catch (error) {
    for (const handle of handles.values()) await handle.close();
    throw error;
  }
}

async function readIndexText(indexFile: string): Promise<string> {
  const entry = await stat(indexFile);
  const { size } = entry;
  if (!entry.isFile()) throw new SafetensorsError(indexFile, "expected a regular file, got a folder, pipe or device");
  if (size > MAX_HEADER_BYTES) throw new SafetensorsError(indexFile, `expected an index of at most ${MAX_HEADER_BYTES} bytes, got ${size}`);
  const handle = await open(indexFile, "r");
  try {
    return decodeUtf8(await handle.readFile(), indexFile);
  } finally {
    await handle.close();
  }
}

function readWeightMap(text: string, indexFile: string): ReadonlyMap<string, string> {
  let index: JsonValue;
  try {
    index = parseStrictJson(text);
  } catch (error) {
    throw new SafetensorsError(indexFile, `invalid index: ${(error as SyntaxError).message}`);
  }
  const weightMap = index instanceof Map ? (index as ReadonlyMap<string, JsonValue>).get("weight_map") : undefined;
  if (!(weightMap instanceof Map)) throw new SafetensorsError(indexFile, `expected an object "weight_map", got none`);
  for (const [name, shard] of weightMap as ReadonlyMap<string, JsonValue>) {
    if (typeof shard !== "string") throw new SafetensorsError(indexFile, "expected the name of a shard, got another kind of value", name);
  }
  return weightMap as ReadonlyMap<string, string>;
}

/** Path of a shard. Its name must not lead out of the folder; nor may a link, except into the `blobs` of a Hugging Face cache. */
async function locateShard(indexFile: string, folder: string, shard: string): Promise<string> {
  const parts = shard.split(/[/\\]/);
  const absolute = path.posix.isAbsolute(shard) || path.win32.isAbsolute(shard) || /^[a-zA-Z]:/.test(shard);
  if (absolute || parts.includes("..") || shard.includes("\0") || !shard.endsWith(".safetensors")) {
    throw new SafetensorsError(indexFile, `expected shards to be .safetensors files inside the index's folder, got ${quote(shard)}`);
  }
  const file = path.join(folder, shard);
  const real = await realpath(file).catch(() => undefined);
  if (real === undefined) throw new SafetensorsError(indexFile, `expected shard ${quote(shard)} beside the index, got no such file`);
  const home = await realpath(folder);
  const blobs = path.join(home, "..", "..", "blobs");
  const inside = real.startsWith(home.endsWith(path.sep) ? home : home + path.sep);
  const cached = path.basename(path.dirname(home)) === "snapshots" && path.dirname(real) === blobs;
  if (!inside && !cached)
    throw new SafetensorsError(indexFile, `expected shards inside the index's folder, got ${quote(shard)}, a link that leaves it`);
  return file;
}

function joinShards(
  indexFile: string,
  weightMap: ReadonlyMap<string, string>,
  shards: ReadonlyMap<string, SafetensorsHeader>,
): SafetensorsHeader {
  const tensors = new Map<string, TensorEntry>();
  const metadata = new Map<string, string>();
  for (const [shard, header] of shards) {
    for (const [name, entry] of header.tensors) {
      if (tensors.has(name))
        throw new SafetensorsError(entry.file, `expected each tensor in one shard, ${quote(tensors.get(name)!.file)} holds it too`, name);
      if (!weightMap.has(name))
        throw new SafetensorsError(entry.file, `expected only tensors that the index ${quote(indexFile)} lists`, name);
      if (weightMap.get(name) !== shard) {
        throw new SafetensorsError(
          entry.file,
          `expected the tensor in shard ${quote(weightMap.get(name)!)} as in the index, got it here`,
          name,
        );
      }
      tensors.set(name, entry);
    }
    for (const [key, value] of header.metadata) if (!metadata.has(key)) metadata.set(key, value);
  }
  for (const [name, shard] of weightMap) {
    if (!tensors.has(name))
      throw new SafetensorsError(indexFile, `expected the tensor in shard ${quote(shard)} as in the index, got none`, name);
  }
  return { tensors, metadata };
}
