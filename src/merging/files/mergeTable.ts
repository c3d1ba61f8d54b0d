/** Where the parameters of a merge lie, in a form that threads get cheaply. */
import { DTYPE_NAMES, dtypeBytes, type Dtype, type TensorPlace } from "../../checkpoints";

/** One merged parameter in all files. */
export interface PlacedTensor {
  readonly elements: number;
  /** θ₀ first, then the models. */
  readonly sources: readonly TensorPlace[];
  /** First byte in the output. */
  readonly target: number;
}

/** Stretches of elements that lie side by side in every file. */
export interface MergeTable {
  /** θ₀ and the models. */
  readonly sources: number;
  readonly elements: Float64Array;
  readonly targets: Float64Array;
  /** By stretch, then source: descriptor, position, and dtype by its place in DTYPE_NAMES. */
  readonly descriptors: Int32Array;
  readonly positions: Float64Array;
  readonly dtypes: Uint8Array;
}

/** Parts of stretches, each the work of one thread at a time. */
export interface Pieces {
  readonly stretches: Uint32Array;
  readonly starts: Float64Array;
  readonly lengths: Float64Array;
}

/**
 * Makes the table.
 * @param join Whether tensors that follow each other in every file become one stretch.
 */
export function mergeTable(tensors: readonly PlacedTensor[], outputBytes: number, join: boolean): MergeTable {
  const stretches: { elements: number; readonly first: PlacedTensor }[] = [];
  for (const tensor of tensors) {
    const last = stretches.at(-1);
    if (join && last !== undefined && follows(last.first, last.elements, tensor, outputBytes)) last.elements += tensor.elements;
    else stretches.push({ elements: tensor.elements, first: tensor });
  }
  const places = stretches.flatMap(({ first }) => first.sources);
  return {
    sources: tensors[0]?.sources.length ?? 0,
    elements: Float64Array.from(stretches, ({ elements }) => elements),
    targets: Float64Array.from(stretches, ({ first }) => first.target),
    descriptors: Int32Array.from(places, ({ descriptor }) => descriptor),
    positions: Float64Array.from(places, ({ position }) => position),
    dtypes: Uint8Array.from(places, ({ dtype }) => DTYPE_NAMES.indexOf(dtype)),
  };
}

function follows(first: PlacedTensor, elements: number, next: PlacedTensor, outputBytes: number): boolean {
  if (next.target !== first.target + elements * outputBytes) return false;
  return first.sources.every(({ descriptor, position, dtype }, index) => {
    const other = next.sources[index]!;
    return other.descriptor === descriptor && other.dtype === dtype && other.position === position + elements * dtypeBytes(dtype);
  });
}

/** A source of a stretch. */
export function placeOf({ sources, descriptors, positions, dtypes }: MergeTable, stretch: number, source: number): TensorPlace {
  const at = stretch * sources + source;
  return { descriptor: descriptors[at]!, position: positions[at]!, dtype: DTYPE_NAMES[dtypes[at]!] as Dtype };
}

/** Cuts all stretches into pieces of at most so many elements. */
export function cutPieces({ elements }: MergeTable, most: number): Pieces {
  const cuts: [stretch: number, start: number, length: number][] = [];
  for (const [stretch, length] of elements.entries()) {
    for (let start = 0; start < length; start += most) cuts.push([stretch, start, Math.min(most, length - start)]);
  }
  return piecesOf(cuts);
}

/** About `count` runs of at most `length` elements, spread evenly over all. */
export function spreadPieces({ elements }: MergeTable, count: number, length: number): Pieces {
  const cuts: [stretch: number, start: number, length: number][] = [];
  const total = elements.reduce((sum, each) => sum + each, 0);
  const step = Math.max(length, Math.floor(total / count));
  let next = Math.floor((step - length) / 2);
  let passed = 0;
  for (const [stretch, size] of elements.entries()) {
    for (; next < passed + size; next += step) {
      const start = next - passed;
      cuts.push([stretch, start, Math.min(length, size - start)]);
    }
    passed += size;
  }
  return piecesOf(cuts);
}

/** Some of the pieces. */
export function pickPieces({ stretches, starts, lengths }: Pieces, which: readonly number[]): Pieces {
  return piecesOf(which.map((piece) => [stretches[piece]!, starts[piece]!, lengths[piece]!]));
}

function piecesOf(cuts: readonly (readonly [stretch: number, start: number, length: number])[]): Pieces {
  return {
    stretches: Uint32Array.from(cuts, ([stretch]) => stretch),
    starts: Float64Array.from(cuts, ([, start]) => start),
    lengths: Float64Array.from(cuts, ([, , length]) => length),
  };
}
