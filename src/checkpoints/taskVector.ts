import { Checkpoint, isBuffer } from "./checkpoint";
import { quote } from "./errors";
import type { TensorEntry } from "./header";
import type { HostTensor, NamedTensors } from "./tensors";
import type { TensorSource } from "./tensorSource";

/** Elements that are compared at a time. */
const CHUNK = 1 << 20;

/** How far fine-tuning moved one parameter, and in which direction. */
export interface TaskVectorLayer {
  readonly name: string;
  /** Euclidean norm of τ. */
  readonly norm: number;
  /** Norm of τ over that of θ₀; null if θ₀ is zero. */
  readonly relativeNorm: number | null;
  /** Cosine between τ and θ₀, in [-1, 1]; null if either is zero or not finite. */
  readonly cosine: number | null;
}

/**
 * A task vector τ = θ_t − θ₀ (Ilharco et al. 2023, arXiv:2212.04089) on disk: each parameter is subtracted when it is read, in float32. It
 * covers all floating parameters of the pretrained checkpoint, in its order; a projection that the fine-tuned one lacks counts as unchanged.
 */
export class TaskVector {
  /** Parameter name -> shape, in the pretrained checkpoint's order. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;

  constructor(
    readonly finetuned: TensorSource,
    readonly pretrained: TensorSource,
    shapes: ReadonlyMap<string, readonly number[]>,
    private readonly unchanged: ReadonlySet<string>,
  ) {
    this.shapes = shapes;
  }

  /** Parameter names in order. */
  get names(): readonly string[] {
    return [...this.shapes.keys()];
  }

  /** τ of one parameter, newly allocated. */
  async read(name: string): Promise<HostTensor> {
    const shape = this.shape(name);
    const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
    await this.readInto(name, values);
    return { shape, values };
  }

  /**
   * Reads τ of one parameter, or `count` elements of it from `start` on, into memory that the caller keeps.
   * @param pretrainedTarget Gets θ₀ of the same elements, if given; it needs the same length.
   */
  async readInto(name: string, target: Float32Array, start = 0, count?: number, pretrainedTarget?: Float32Array): Promise<void> {
    this.shape(name);
    const length = count ?? this.pretrained.entry(name).elements - start;
    const base = pretrainedTarget ?? new Float32Array(length);
    await this.pretrained.readFloat32Into(name, base, start, length);
    if (this.unchanged.has(name)) {
      target.fill(0, 0, length);
      return;
    }
    await this.finetuned.readFloat32Into(name, target, start, length);
    for (let i = 0; i < length; i++) target[i] = target[i]! - base[i]!;
  }

  /** All of τ in memory. */
  async load(): Promise<NamedTensors> {
    const tensors = new Map<string, HostTensor>();
    for (const name of this.shapes.keys()) tensors.set(name, await this.read(name));
    return tensors;
  }

  /** Norm and cosine of each parameter, streamed; sums are in double precision. */
  async layers(): Promise<TaskVectorLayer[]> {
    const layers: TaskVectorLayer[] = [];
    const difference = new Float32Array(CHUNK);
    const base = new Float32Array(CHUNK);
    for (const name of this.shapes.keys()) {
      const { elements } = this.pretrained.entry(name);
      let [square, baseSquare, dot] = [0, 0, 0];
      for (let start = 0; start < elements; start += CHUNK) {
        const count = Math.min(CHUNK, elements - start);
        await this.readInto(name, difference, start, count, base);
        for (let i = 0; i < count; i++) {
          const d = difference[i]!;
          const b = base[i]!;
          square += d * d;
          baseSquare += b * b;
          dot += d * b;
        }
      }
      layers.push({ name, ...summarise(square, baseSquare, dot) });
    }
    return layers;
  }

  /** Closes both checkpoints. */
  async close(): Promise<void> {
    await this.finetuned.close();
    await this.pretrained.close();
  }

  private shape(name: string): readonly number[] {
    const shape = this.shapes.get(name);
    if (shape === undefined)
      throw new RangeError(`Cannot read task vector of ${quote(name)}: expected a floating parameter of the pretrained checkpoint`);
    return shape;
  }
}

/**
 * Forms the task vector of a fine-tuned checkpoint against the pretrained one, without reading any values. Integer buffers take no part.
 * @throws {TypeError} if a parameter is missing in either or its shapes differ; names the parameter, both shapes or the file that lacks it.
 */
export function openTaskVector(finetuned: TensorSource, pretrained: TensorSource): TaskVector {
  const theirs = floatingEntries(finetuned);
  const shapes = new Map<string, readonly number[]>();
  const unchanged = new Set<string>();
  for (const [name, entry] of floatingEntries(pretrained)) {
    const other = theirs.get(name);
    if (isFromBase(finetuned, name) || (other === undefined && name === "visual_projection.weight")) unchanged.add(name);
    else requireSameShape(name, entry, other, finetuned);
    shapes.set(name, entry.shape);
  }
  for (const name of theirs.keys()) {
    if (!shapes.has(name) && !isFromBase(finetuned, name)) {
      throw new TypeError(
        `Cannot form task vector for ${quote(name)}: expected it in pretrained ${quote(pretrained.path, Infinity)} too, got none`,
      );
    }
  }
  return new TaskVector(finetuned, pretrained, shapes, unchanged);
}

function floatingEntries(source: TensorSource): ReadonlyMap<string, TensorEntry> {
  return new Map([...source.tensors].filter(([, entry]) => !isBuffer(entry)));
}

function isFromBase(source: TensorSource, name: string): boolean {
  return source instanceof Checkpoint && source.namesFromBase.includes(name);
}

function requireSameShape(name: string, expected: TensorEntry, got: TensorEntry | undefined, finetuned: TensorSource): void {
  const action = `Cannot form task vector for ${quote(name)}: expected shape [${expected.shape.join(", ")}] as in the pretrained checkpoint`;
  if (got === undefined) throw new TypeError(`${action}, got no such floating tensor in ${quote(finetuned.path, Infinity)}`);
  if (got.shape.length !== expected.shape.length || got.shape.some((size, axis) => size !== expected.shape[axis])) {
    throw new TypeError(`${action}, got [${got.shape.join(", ")}] in ${quote(finetuned.path, Infinity)}`);
  }
}

/** Norms and cosine from sums of squares and the dot product of τ and θ₀. */
function summarise(square: number, baseSquare: number, dot: number): Omit<TaskVectorLayer, "name"> {
  const norm = Math.sqrt(square);
  const baseNorm = Math.sqrt(baseSquare);
  const cosine = dot / (norm * baseNorm);
  return {
    norm,
    relativeNorm: baseNorm > 0 ? norm / baseNorm : null,
    cosine: Number.isFinite(cosine) ? Math.max(-1, Math.min(1, cosine)) : null,
  };
}
