/** One attention head of one sequence, forward and backward, as loops over typed arrays. */

/** Where one head lies in [tokens, stride] rows. */
export interface HeadShape {
  readonly tokens: number;
  /** Values a token in this head. */
  readonly size: number;
  /** Values between one token's row and the next. */
  readonly stride: number;
}

/** Scratch of double precision: inner loops without conversions run about twice as fast. */
const scratch = new Map<string, Float64Array>();

function scratchArray(name: string, length: number): Float64Array {
  let array = scratch.get(name);
  if (!array || array.length < length) {
    array = new Float64Array(length);
    scratch.set(name, array);
  }
  return array;
}

function gather(name: string, { tokens, size, stride }: HeadShape, start: number, rows: Float32Array): Float64Array {
  const head = scratchArray(name, tokens * size);
  for (let token = 0, out = 0; token < tokens; token++) {
    for (let i = start + token * stride, end = i + size; i < end; i++) head[out++] = rows[i]!;
  }
  return head;
}

function dot(a: Float64Array, aStart: number, b: Float64Array, bStart: number, length: number): number {
  let even = 0;
  let odd = 0;
  let i = 0;
  for (; i + 1 < length; i += 2) {
    even += a[aStart + i]! * b[bStart + i]!;
    odd += a[aStart + i + 1]! * b[bStart + i + 1]!;
  }
  return i < length ? even + odd + a[aStart + i]! * b[bStart + i]! : even + odd;
}

/** Fills the head's columns of `context` and its block `index` of `probabilities`. */
export function attendHead(
  shape: HeadShape,
  start: number,
  index: number,
  queries: Float32Array,
  keys: Float32Array,
  values: Float32Array,
  context: Float32Array,
  probabilities: Float32Array,
): void {
  const { tokens, size, stride } = shape;
  const q = gather("q", shape, start, queries);
  const k = gather("k", shape, start, keys);
  const v = gather("v", shape, start, values);
  const weights = scratchArray("weights", tokens);
  const sum = scratchArray("sum", size);
  const scale = 1 / Math.sqrt(size);
  for (let query = 0; query < tokens; query++) {
    let largest = -Infinity;
    for (let key = 0; key < tokens; key++) {
      const score = dot(q, query * size, k, key * size, size) * scale;
      weights[key] = score;
      if (score > largest) largest = score;
    }
    let total = 0;
    for (let key = 0; key < tokens; key++) total += weights[key] = Math.exp(weights[key]! - largest);
    const block = (index * tokens + query) * tokens;
    sum.fill(0, 0, size);
    for (let key = 0; key < tokens; key++) {
      const weight = weights[key]! / total;
      probabilities[block + key] = weight;
      for (let i = 0, from = key * size; i < size; i++) sum[i]! += weight * v[from + i]!;
    }
    for (let i = 0, out = start + query * stride; i < size; i++) context[out + i] = sum[i]!;
  }
}

/** What the backward pass of a head reads; arrays of all heads. */
export interface HeadInputs {
  readonly dContext: Float32Array;
  readonly queries: Float32Array;
  readonly keys: Float32Array;
  readonly values: Float32Array;
  readonly probabilities: Float32Array;
}

/** What the backward pass of a head fills; arrays of all heads. */
export interface HeadGradients {
  readonly dQueries: Float32Array;
  readonly dKeys: Float32Array;
  readonly dValues: Float32Array;
}

/** Fills the head's columns of the three gradients. */
export function attendHeadBackward(shape: HeadShape, start: number, index: number, inputs: HeadInputs, gradients: HeadGradients): void {
  const { tokens, size } = shape;
  const dc = gather("dc", shape, start, inputs.dContext);
  const q = gather("q", shape, start, inputs.queries);
  const k = gather("k", shape, start, inputs.keys);
  const v = gather("v", shape, start, inputs.values);
  const [dq, dk, dv] = ["dq", "dk", "dv"].map((name) => scratchArray(name, tokens * size).fill(0, 0, tokens * size)) as Float64Array[];
  const dWeights = scratchArray("weights", tokens);
  const scale = 1 / Math.sqrt(size);
  for (let query = 0; query < tokens; query++) {
    const block = (index * tokens + query) * tokens;
    const at = query * size;
    let mean = 0;
    for (let key = 0; key < tokens; key++) {
      const upstream = dot(dc, at, v, key * size, size);
      dWeights[key] = upstream;
      mean += upstream * inputs.probabilities[block + key]!;
    }
    for (let key = 0; key < tokens; key++) {
      const weight = inputs.probabilities[block + key]!;
      const dScore = weight * (dWeights[key]! - mean) * scale;
      for (let i = 0, other = key * size; i < size; i++) {
        dv![other + i]! += weight * dc[at + i]!;
        dq![at + i]! += dScore * k[other + i]!;
        dk![other + i]! += dScore * q[at + i]!;
      }
    }
  }
  scatter(shape, start, dq!, gradients.dQueries);
  scatter(shape, start, dk!, gradients.dKeys);
  scatter(shape, start, dv!, gradients.dValues);
}

function scatter({ tokens, size, stride }: HeadShape, start: number, head: Float64Array, rows: Float32Array): void {
  for (let token = 0, from = 0; token < tokens; token++) {
    for (let i = start + token * stride, end = i + size; i < end; i++) rows[i] = head[from++]!;
  }
}
