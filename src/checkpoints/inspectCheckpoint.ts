import * as path from "node:path";
import { openCheckpoint } from "./checkpoint";
import type { Dtype } from "./dtypes";
import { openTensors } from "./openTensors";
import { openTaskVector, type TaskVectorLayer } from "./taskVector";
import { type TensorStatistics, tensorStatistics } from "./tensorStatistics";

/** One tensor of a report: where it is, what its values are, and how far it moved from the base's. */
export interface InspectedTensor extends TensorStatistics {
  /** As stored. */
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Length of the raw bytes. */
  readonly bytes: number;
  /** Shard that holds it, relative to the index; absent for an unsharded file. */
  readonly file?: string;
  /** Norm of the task vector θ − θ_base; present for floating parameters if there is a base. */
  readonly norm?: number | null;
  /** That norm over the base's; null if the base's is zero. */
  readonly relativeNorm?: number | null;
  /** Cosine between the task vector and the base's parameter; null if either is zero. */
  readonly cosine?: number | null;
}

/** What `damlab inspect` prints. */
export interface CheckpointReport {
  /** In the order in which they lie in the file, or shard after shard. */
  readonly tensors: readonly InspectedTensor[];
  readonly metadata: ReadonlyMap<string, string>;
  /** The base and the norm of the whole task vector. */
  readonly against?: { readonly base: string; readonly norm: number };
}

/** How to inspect. */
export interface InspectOptions {
  /** Checkpoint to form the task vector against. Default: none. */
  readonly against?: string;
}

/**
 * Reads a safetensors file, an index of shards or a checkpoint's folder from end to end, streamed, and tells what is in it.
 * @throws {SafetensorsError} if a file is malformed.
 * @throws {TypeError} if the base has other parameters.
 */
export async function inspectCheckpoint(place: string, options: InspectOptions = {}): Promise<CheckpointReport> {
  const moved = options.against === undefined ? undefined : await compareWithBase(place, options.against);
  const source = await openTensors(place);
  try {
    const sharded = source.path.endsWith(".json");
    const tensors: InspectedTensor[] = [];
    for (const { name, dtype, shape, bytes, file } of source.tensors.values()) {
      const statistics = await tensorStatistics(source, name);
      const shard = sharded ? { file: path.relative(path.dirname(source.path), file) } : {};
      tensors.push({ name, dtype, shape, bytes, ...statistics, ...shard, ...moved?.get(name) });
    }
    const report = { tensors, metadata: source.metadata };
    return moved === undefined ? report : { ...report, against: { base: options.against!, norm: totalNorm(moved.values()) } };
  } finally {
    await source.close();
  }
}

/** Norms and cosines by stored name. */
async function compareWithBase(place: string, basePlace: string): Promise<Map<string, Omit<TaskVectorLayer, "name">>> {
  const base = await openCheckpoint(basePlace);
  try {
    const checkpoint = await openCheckpoint(place, { base });
    try {
      const moved = new Map<string, Omit<TaskVectorLayer, "name">>();
      for (const { name, norm, relativeNorm, cosine } of await openTaskVector(checkpoint, base).layers()) {
        if (!checkpoint.namesFromBase.includes(name)) moved.set(checkpoint.storedName(name), { norm, relativeNorm, cosine });
      }
      return moved;
    } finally {
      await checkpoint.close();
    }
  } finally {
    await base.close();
  }
}

function totalNorm(layers: Iterable<{ readonly norm: number }>): number {
  let square = 0;
  for (const { norm } of layers) square += norm * norm;
  return Math.sqrt(square);
}
