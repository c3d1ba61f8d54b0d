import { open, stat } from "node:fs/promises";
import * as path from "node:path";
import { isFloating } from "./dtypes";
import { quote, SafetensorsError } from "./errors";
import type { TensorEntry } from "./header";
import { CHECKPOINT_FILES, openTensors } from "./openTensors";
import { isBufferName, resolveNames } from "./tensorNames";
import type { HostTensor, NamedTensors } from "./tensors";
import { TensorSource, type TensorPlace } from "./tensorSource";

/** Longest configuration that is read, in bytes; real ones have a few kilobytes. */
const MAX_CONFIG_BYTES = 4_000_000;
const MODEL_TYPES = ["clip_vision_model", "clip"];

/** How to open a checkpoint. */
export interface OpenCheckpointOptions {
  /** Checkpoint, or its path, from which the projection and integer buffers are taken where this one lacks them. Default: none. */
  readonly base?: Checkpoint | string;
}

/**
 * A CLIP vision checkpoint, its tensors under canonical names (`vision_model.…`, `visual_projection.weight`) in parameter order. A file
 * without such names keeps its own names and order.
 */
export class Checkpoint extends TensorSource {
  readonly metadata: ReadonlyMap<string, string>;

  /**
   * @param tensors Entries by canonical name; `entry.name` is the canonical name too.
   * @param origins For each canonical name, who reads it and under which name.
   */
  constructor(
    readonly path: string,
    /** The content of `config.json`; undefined for a plain file. For `clip` it nests the vision tower's in `vision_config`. */
    readonly config: Readonly<Record<string, unknown>> | undefined,
    readonly tensors: ReadonlyMap<string, TensorEntry>,
    private readonly origins: ReadonlyMap<string, { readonly source: TensorSource; readonly name: string }>,
    /** Stored names outside of the vision tower and its projection, such as a text tower's; they are not among `tensors`. */
    readonly otherNames: readonly string[],
    /** Canonical names that this checkpoint lacks and that are read from the base. */
    readonly namesFromBase: readonly string[],
    private readonly owned: readonly TensorSource[],
  ) {
    super();
    this.metadata = owned[0]?.metadata ?? new Map<string, string>();
  }

  /** The name under which a tensor is stored. */
  storedName(name: string): string {
    this.entry(name);
    return this.origins.get(name)!.name;
  }

  place(name: string): TensorPlace {
    this.entry(name);
    const { source, name: stored } = this.origins.get(name)!;
    return source.place(stored);
  }

  async close(): Promise<void> {
    for (const source of this.owned) await source.close();
  }

  protected async fill(entry: TensorEntry, target: Uint8Array, start: number): Promise<void> {
    const { source, name } = this.origins.get(entry.name)!;
    await source.readBytesInto(name, target, start, target.length);
  }
}

/**
 * Opens a checkpoint: a folder in the Hugging Face layout (`config.json` with `model_type` `clip_vision_model` or `clip`, and
 * `model.safetensors` or the index of its shards), or a plain safetensors file or index. Tensors are read when asked for.
 * @throws {SafetensorsError} if a file is malformed.
 * @throws {TypeError} if the configuration is of another kind of model.
 */
export async function openCheckpoint(place: string, options: OpenCheckpointOptions = {}): Promise<Checkpoint> {
  const config = await readConfig(place);
  const source = await openTensors(place);
  let base: Checkpoint | undefined;
  try {
    base = typeof options.base === "string" ? await openCheckpoint(options.base) : options.base;
    return assemble(place, config, source, base, typeof options.base === "string");
  } catch (error) {
    await source.close();
    if (typeof options.base === "string") await base?.close();
    throw error;
  }
}

/**
 * Reads all floating tensors of a checkpoint as float32; integer buffers are left out.
 * @returns In the checkpoint's order; owned by the caller.
 */
export async function loadNamedTensors(checkpoint: TensorSource): Promise<NamedTensors> {
  const tensors = new Map<string, HostTensor>();
  for (const { name, dtype } of checkpoint.tensors.values()) {
    if (isFloating(dtype) && !isBufferName(name)) tensors.set(name, await checkpoint.readFloat32(name));
  }
  return tensors;
}

function assemble(
  place: string,
  config: Checkpoint["config"],
  source: TensorSource,
  base: Checkpoint | undefined,
  ownsBase: boolean,
): Checkpoint {
  const { stored, others } = resolve(source, place);
  if (stored.size === 0 && config !== undefined) {
    throw new SafetensorsError(place, `expected tensors named "vision_model.…", got none among ${source.tensors.size}`);
  }
  // A file that holds no vision tower keeps its own names.
  const names = stored.size > 0 ? stored : new Map(others.map((name) => [name, name]));
  const tensors = new Map<string, TensorEntry>();
  const origins = new Map<string, { source: TensorSource; name: string }>();
  const fromBase: string[] = [];
  for (const [name, storedName] of names) {
    tensors.set(name, { ...source.entry(storedName), name });
    origins.set(name, { source, name: storedName });
  }
  for (const entry of stored.size > 0 && base !== undefined ? base.tensors.values() : []) {
    if (tensors.has(entry.name) || !(entry.name === "visual_projection.weight" || isBuffer(entry))) continue;
    tensors.set(entry.name, entry);
    origins.set(entry.name, { source: base!, name: entry.name });
    fromBase.push(entry.name);
  }
  const owned = base !== undefined && ownsBase ? [source, base] : [source];
  return new Checkpoint(place, config, tensors, origins, stored.size > 0 ? others : [], fromBase, owned);
}

/** Whether a tensor is a buffer (positions, counters), which is neither trained nor merged. */
export function isBuffer(entry: TensorEntry): boolean {
  return !isFloating(entry.dtype) || isBufferName(entry.name);
}

function resolve(source: TensorSource, place: string): ReturnType<typeof resolveNames> {
  try {
    return resolveNames(source.tensors.keys());
  } catch (error) {
    throw new SafetensorsError(place, (error as SyntaxError).message);
  }
}

async function readConfig(place: string): Promise<Checkpoint["config"]> {
  const entry = await stat(place).catch(() => undefined);
  if (entry?.isDirectory() !== true) return undefined;
  const file = path.join(place, CHECKPOINT_FILES.config);
  const config = parseConfig(await readConfigText(file, place), file);
  const type = config["model_type"];
  if (typeof type !== "string" || !MODEL_TYPES.includes(type)) {
    const got = typeof type === "string" ? quote(type) : "none";
    throw new TypeError(`Cannot open ${quote(file, Infinity)}: expected model_type "clip_vision_model" or "clip", got ${got}`);
  }
  return config;
}

async function readConfigText(file: string, place: string): Promise<string> {
  const entry = await stat(file).catch(() => undefined);
  if (entry?.isFile() !== true)
    throw new Error(`Cannot open ${quote(place, Infinity)}: expected ${CHECKPOINT_FILES.config} in the folder, got none`);
  if (entry.size > MAX_CONFIG_BYTES) throw new SafetensorsError(file, `expected at most ${MAX_CONFIG_BYTES} bytes, got ${entry.size}`);
  const handle = await open(file, "r");
  try {
    return await handle.readFile("utf8");
  } finally {
    await handle.close();
  }
}

function parseConfig(text: string, file: string): Record<string, unknown> {
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (error) {
    throw new SafetensorsError(file, `expected JSON, got ${(error as SyntaxError).message.replace(/\s+/g, " ")}`);
  }
  if (typeof config !== "object" || config === null || Array.isArray(config))
    throw new SafetensorsError(file, "expected an object, got another value");
  return config as Record<string, unknown>;
}
