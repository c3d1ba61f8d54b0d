/** Attention of one head after the other, and its gradients. */

// @ts-nocheck: checked by the AssemblyScript compiler

import { at, exponential, LANES } from "./lanes.as";

/** out[i, s] = Σ_j a[i · aRow + j · aColumn] · b[j, s] for i, j < tokens and s < size; rows of `out` and `b` are `stride` apart. */
// @ts-ignore: decorator
@inline
function multiply(out: usize, a: usize, aRow: usize, aColumn: usize, b: usize, tokens: usize, size: usize, stride: usize): void {
  const step = aColumn << 2;
  const rowBytes = stride << 2;
  for (let i: usize = 0; i < tokens; i++) {
    const to = at(out, i * stride);
    const start = at(a, i * aRow);
    let s: usize = 0;
    for (; s + 8 <= size; s += 8) {
      let low = f32x4.splat(0);
      let high = f32x4.splat(0);
      let weight = start;
      let row = at(b, s);
      for (let j: usize = 0; j < tokens; j++) {
        const factor = v128.load32_splat(weight);
        low = f32x4.add(low, f32x4.mul(factor, v128.load(row)));
        high = f32x4.add(high, f32x4.mul(factor, v128.load(row, 16)));
        weight += step;
        row += rowBytes;
      }
      v128.store(at(to, s), low);
      v128.store(at(to, s), high, 16);
    }
    for (; s < size; s++) {
      let sum: f32 = 0;
      for (let j: usize = 0; j < tokens; j++) sum += load<f32>(start + j * step) * load<f32>(at(b, j * stride + s));
      store<f32>(at(to, s), sum);
    }
  }
}

/** transposed[s, t] = rows[t, s] for t < tokens, zero up to `padded` tokens. */
// @ts-ignore: decorator
@inline
function transpose(rows: usize, transposed: usize, tokens: usize, padded: usize, size: usize, stride: usize): void {
  for (let s: usize = 0; s < size; s++) {
    const to = at(transposed, s * padded);
    for (let t: usize = 0; t < tokens; t++) store<f32>(at(to, t), load<f32>(at(rows, t * stride + s)));
    for (let t = tokens; t < padded; t++) store<f32>(at(to, t), 0);
  }
}

/** out[t] = scale · Σ_s vector[s] · transposed[s, t] for t < padded. */
// @ts-ignore: decorator
@inline
function dotAll(vector: usize, transposed: usize, out: usize, padded: usize, size: usize, scale: f32): void {
  const rowBytes = padded << 2;
  for (let t: usize = 0; t < padded; t += LANES) {
    let sum = f32x4.splat(0);
    let row = at(transposed, t);
    for (let s: usize = 0; s < size; s++) {
      sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(at(vector, s)), v128.load(row)));
      row += rowBytes;
    }
    v128.store(at(out, t), f32x4.mul(sum, f32x4.splat(scale)));
  }
}

/** In place: weights = softmax(weights) over the first `tokens` of `padded` values. */
// @ts-ignore: decorator
@inline
function softmax(weights: usize, tokens: usize, padded: usize): void {
  let largest = load<f32>(weights);
  for (let t: usize = 1; t < tokens; t++) largest = max<f32>(largest, load<f32>(at(weights, t)));
  const shift = f32x4.splat(largest);
  for (let t: usize = 0; t < padded; t += LANES) v128.store(at(weights, t), exponential(f32x4.sub(v128.load(at(weights, t)), shift)));
  let total: f32 = 0;
  for (let t: usize = 0; t < tokens; t++) total += load<f32>(at(weights, t));
  const factor = f32x4.splat(<f32>1 / total);
  for (let t: usize = 0; t < padded; t += LANES) v128.store(at(weights, t), f32x4.mul(v128.load(at(weights, t)), factor));
}

/**
 * Attention of all heads of `batch` sequences; `scratch` holds (size + 1) · padded values, where padded is `tokens` rounded up to lanes.
 */
export function attention(
  q: usize, k: usize, v: usize, context: usize, probabilities: usize, scratch: usize, batch: usize, tokens: usize, heads: usize, size: usize,
): void {
  const stride = heads * size;
  const padded = (tokens + 3) & ~3;
  const weights = at(scratch, size * padded);
  const scale: f32 = <f32>1 / sqrt<f32>(<f32>size);
  for (let index: usize = 0; index < batch * heads; index++) {
    const start = (index / heads) * tokens * stride + (index % heads) * size;
    const block = at(probabilities, index * tokens * tokens);
    transpose(at(k, start), scratch, tokens, padded, size, stride);
    for (let t: usize = 0; t < tokens; t++) {
      dotAll(at(q, start + t * stride), scratch, weights, padded, size, scale);
      softmax(weights, tokens, padded);
      memory.copy(at(block, t * tokens), weights, tokens << 2);
    }
    multiply(at(context, start), block, tokens, 1, at(v, start), tokens, size, stride);
  }
}

/** Gradients of attention; `scratch` holds (size + tokens) · padded values. */
export function attentionGradient(
  dContext: usize, q: usize, k: usize, v: usize, probabilities: usize, dq: usize, dk: usize, dv: usize, scratch: usize,
  batch: usize, tokens: usize, heads: usize, size: usize,
): void {
  const stride = heads * size;
  const padded = (tokens + 3) & ~3;
  const dScores = at(scratch, size * padded);
  const scale: f32 = <f32>1 / sqrt<f32>(<f32>size);
  for (let index: usize = 0; index < batch * heads; index++) {
    const start = (index / heads) * tokens * stride + (index % heads) * size;
    const block = at(probabilities, index * tokens * tokens);
    transpose(at(v, start), scratch, tokens, padded, size, stride);
    for (let t: usize = 0; t < tokens; t++) {
      const row = at(dScores, t * padded);
      const weights = at(block, t * tokens);
      dotAll(at(dContext, start + t * stride), scratch, row, padded, size, 1);
      let mean: f32 = 0;
      for (let j: usize = 0; j < tokens; j++) mean += load<f32>(at(row, j)) * load<f32>(at(weights, j));
      for (let j: usize = 0; j < tokens; j++) {
        store<f32>(at(row, j), load<f32>(at(weights, j)) * (load<f32>(at(row, j)) - mean) * scale);
      }
    }
    multiply(at(dq, start), dScores, padded, 1, at(k, start), tokens, size, stride);
    multiply(at(dk, start), dScores, 1, padded, at(q, start), tokens, size, stride);
    multiply(at(dv, start), block, 1, tokens, at(dContext, start), tokens, size, stride);
  }
}
