/** Arithmetic over task vectors in plain loops: the definition of what the SIMD form gives, byte for byte. */

/** Elements of a block: those of several vectors fit into a core's cache together. */
export const VECTOR_BLOCK = 4096;

/** Vectors of one type: float32, or the bits of bfloat16, which are widened block by block. */
export type Vectors = readonly Float32Array[] | readonly Uint16Array[];

const sum = new Float32Array(VECTOR_BLOCK);
const masked = new Float64Array(VECTOR_BLOCK);

/** See `mergeVectors`; the block that starts at `from`. */
export function mergeBlock(
  { combined, theta, origin, mask }: MergeTargets,
  vectors: Vectors,
  factors: ArrayLike<number>,
  from: number,
  count: number,
): void {
  const [blocks, at] = openBlocks(vectors, from, count);
  for (let task = 0; task < vectors.length; task += 3) addThree(blocks, factors, task, at, count);
  if (combined) combined.set(count < VECTOR_BLOCK ? sum.subarray(0, count) : sum, from);
  if (theta) addMasked(theta, origin!, mask, from, count);
}

/** Where a merge goes to; see `mergeVectors`. */
export interface MergeTargets {
  readonly combined: Float32Array | null;
  readonly theta: Float32Array | null;
  readonly origin: Float32Array | null;
  readonly mask: Float32Array | null;
}

/** sum ← (0, or sum) + three vectors times their factors; beyond the last vector the last one times zero. */
function addThree(vectors: readonly Float32Array[], factors: ArrayLike<number>, task: number, from: number, count: number): void {
  const [first, second, third] = [task, task + 1, task + 2].map((index) => vectors[Math.min(index, vectors.length - 1)]!) as Three;
  const factor = (index: number): number => (index < vectors.length ? factors[index]! : 0);
  const [x, y, z] = [factor(task), factor(task + 1), factor(task + 2)];
  if (task === 0) for (let i = 0, j = from; i < count; i++, j++) sum[i] = x * first[j]! + y * second[j]! + z * third[j]!;
  else for (let i = 0, j = from; i < count; i++, j++) sum[i] = sum[i]! + x * first[j]! + y * second[j]! + z * third[j]!;
}

type Three = [Float32Array, Float32Array, Float32Array];

function addMasked(theta: Float32Array, origin: Float32Array, mask: Float32Array | null, from: number, count: number): void {
  if (mask) for (let i = 0, j = from; i < count; i++, j++) theta[j] = origin[j]! + mask[j]! * sum[i]!;
  else for (let i = 0, j = from; i < count; i++, j++) theta[j] = origin[j]! + sum[i]!;
}

/** See `dotVectors`; adds the block's products to the sums. */
export function dotBlock(
  gradient: Float32Array,
  mask: Float32Array | null,
  vectors: Vectors,
  sums: Float64Array,
  from: number,
  count: number,
): void {
  const [blocks, at] = openBlocks(vectors, from, count);
  if (mask) for (let i = 0, j = from; i < count; i++, j++) masked[i] = gradient[j]! * mask[j]!;
  else for (let i = 0, j = from; i < count; i++, j++) masked[i] = gradient[j]!;
  for (let task = 0; task < vectors.length; task += 3) dotThree(blocks, sums, task, at, count);
}

/** Three at once, so that additions need not wait for each other. */
function dotThree(vectors: readonly Float32Array[], sums: Float64Array, task: number, from: number, count: number): void {
  const [first, second, third] = [task, task + 1, task + 2].map((index) => vectors[Math.min(index, vectors.length - 1)]!) as Three;
  let [a, b, c] = [0, 0, 0];
  for (let i = 0, j = from; i < count; i++, j++) {
    const value = masked[i]!;
    a += value * first[j]!;
    b += value * second[j]!;
    c += value * third[j]!;
  }
  sums[task]! += a;
  if (task + 1 < vectors.length) sums[task + 1]! += b;
  if (task + 2 < vectors.length) sums[task + 2]! += c;
}

/** The blocks in float32, and where in them they begin: the vectors themselves, or what is widened. */
function openBlocks(vectors: Vectors, from: number, count: number): [blocks: readonly Float32Array[], at: number] {
  if (!areHalves(vectors)) return [vectors, from];
  const blocks = vectors.map((vector, index) => {
    const block = (wide[index] ??= new Float32Array(VECTOR_BLOCK));
    widenBfloat16(vector.subarray(from, from + count), block);
    return block;
  });
  return [blocks, 0];
}

const wide: Float32Array[] = [];

/** Whether vectors are the bits of bfloat16. */
export function areHalves(vectors: Vectors): vectors is readonly Uint16Array[] {
  return vectors[0] instanceof Uint16Array;
}

/** Widens the bits of bfloat16, exactly, into the beginning of a target. */
export function widenBfloat16(bits: Uint16Array, target: Float32Array): void {
  const patterns = new Uint32Array(target.buffer, target.byteOffset, bits.length);
  for (let i = 0; i < bits.length; i++) patterns[i] = bits[i]! << 16;
}
