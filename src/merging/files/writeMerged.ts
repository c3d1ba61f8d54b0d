import type { FileHandle } from "node:fs/promises";
import { convertFloats, dtypeBytes, isFloating, placeSafetensors, writeAll, writeOrder, type TensorEntry } from "../../checkpoints";
import type { CheckpointSet } from "../checkpointSet";
import type { CompiledMethod } from "../kernel";
import { STORED_DTYPES } from "../mergedFolder";
import type { MergedDtype } from "../recipe";
import { mergeFiles, type MergeFilesRequest } from "./mergeFiles";
import { mergeTable } from "./mergeTable";

/** Elements or bytes that are copied at a time. */
const COPY_CHUNK = 2 ** 18;

/** What `writeMerged()` needs beside the checkpoints. */
export interface WriteMergedOptions extends Pick<MergeFilesRequest, "threads" | "signal" | "onProgress"> {
  readonly dtype: MergedDtype;
  /** Takes the written file's hash while its bytes go to the disk. */
  readonly hash: (descriptor: number, bytes: number) => Promise<string>;
}

/**
 * Merges checkpoints into a safetensors file in bounded memory: the merged tensors, and the base's others, floating ones in the output's dtype.
 * @returns The file's sha256.
 */
export async function writeMerged(file: string, set: CheckpointSet, method: CompiledMethod, options: WriteMergedOptions): Promise<string> {
  const { pretrained, models, merged, stored } = set;
  const dtype = STORED_DTYPES[options.dtype];
  const rows = writeOrder(
    Array.from(stored.tensors.values(), (entry) => ({
      name: entry.name,
      shape: entry.shape,
      dtype: isFloating(entry.dtype) ? dtype : entry.dtype,
      values: new Uint8Array(),
    })),
  );
  let sha256 = "";
  await placeSafetensors(file, rows, { metadata: { format: "pt" } }, async (handle, positions, bytes) => {
    const tensors = rows.flatMap(({ name }) => {
      const own = merged.get(name);
      if (own === undefined) return [];
      const sources = [pretrained, ...models].map((source) => source.place(own.name));
      return [{ elements: own.elements, sources, target: positions.get(name)! }];
    });
    const table = mergeTable(tensors, dtypeBytes(dtype), !(method.kind === "ties" && method.trim === "tensor"));
    const others = rows.filter(({ name }) => !merged.has(name)).map(({ name }) => stored.entry(name));
    await allOf([
      mergeFiles({ ...options, method, table, output: { descriptor: handle.fd, dtype } }),
      copyOthers(handle, others, positions, set, dtype),
    ]);
    const hashing = options.hash(handle.fd, bytes);
    await allOf([hashing, handle.datasync()]);
    sha256 = await hashing;
  });
  return sha256;
}

async function copyOthers(
  handle: FileHandle,
  others: readonly TensorEntry[],
  positions: ReadonlyMap<string, number>,
  { stored }: CheckpointSet,
  dtype: (typeof STORED_DTYPES)[MergedDtype],
): Promise<void> {
  const chunk = new Float32Array(COPY_CHUNK);
  for (const { name, elements, bytes, dtype: own } of others) {
    const position = positions.get(name)!;
    if (isFloating(own)) {
      for (let start = 0; start < elements; start += COPY_CHUNK) {
        const values = chunk.subarray(0, Math.min(COPY_CHUNK, elements - start));
        await stored.readFloat32Into(name, values, start, values.length);
        await writeAll(handle, convertFloats(dtype, values), position + start * dtypeBytes(dtype));
      }
    } else {
      const raw = new Uint8Array(chunk.buffer);
      for (let start = 0; start < bytes; start += raw.length) {
        const length = Math.min(raw.length, bytes - start);
        await stored.readBytesInto(name, raw, start, length);
        await writeAll(handle, raw.subarray(0, length), position + start);
      }
    }
  }
}

/** Waits for all, so that nothing is under way any more when one has failed. */
async function allOf(works: readonly Promise<unknown>[]): Promise<void> {
  for (const work of await Promise.allSettled(works)) if (work.status === "rejected") throw work.reason;
}
