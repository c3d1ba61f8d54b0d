/**
 * The fused kernels for WebAssembly SIMD, in AssemblyScript. They run on the memory of TensorFlow.js' own WebAssembly backend, which is
 * imported, so tensors are passed as byte offsets and nothing is copied. No function allocates or keeps static data.
 * `npm run simd` compiles this file into `kernels.wasm.ts`.
 */

// @ts-nocheck: checked by the AssemblyScript compiler

const LANES: usize = 4;

// @ts-ignore: decorator
@inline
function at(base: usize, index: usize): usize {
  return base + (index << 2);
}

// @ts-ignore: decorator
@inline
function horizontalSum(x: v128): f32 {
  return f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3));
}

/** e^x for |x| up to 87, clamped beyond; Cephes' expf: reduction by ln 2, then a polynomial; relative error below 2e-7. */
// @ts-ignore: decorator
@inline
function exponential(value: v128): v128 {
  const x = f32x4.max(f32x4.min(value, f32x4.splat(87.3)), f32x4.splat(-87.3));
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(1.44269504)));
  let r = f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375)));
  r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(-2.12194440e-4)));
  let p = f32x4.splat(1.9875691500e-4);
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.3981999507e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(8.3334519073e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(4.1665795894e-2));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.6666665459e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(5.0000001201e-1));
  p = f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(p, r), r), r), f32x4.splat(1));
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  return f32x4.mul(p, power);
}

// @ts-ignore: decorator
@inline
function quickGate(x: v128): v128 {
  return f32x4.div(f32x4.splat(1), f32x4.add(f32x4.splat(1), exponential(f32x4.mul(x, f32x4.splat(-1.702)))));
}

// @ts-ignore: decorator
@inline
function quickSlope(x: v128): v128 {
  const gate = quickGate(x);
  const rest = f32x4.mul(f32x4.mul(x, f32x4.splat(1.702)), f32x4.sub(f32x4.splat(1), gate));
  return f32x4.mul(gate, f32x4.add(f32x4.splat(1), rest));
}

/** y = x · sigmoid(1.702 x). */
export function quickGelu(x: usize, y: usize, length: usize): void {
  let i: usize = 0;
  for (; i + LANES <= length; i += LANES) {
    const value = v128.load(at(x, i));
    v128.store(at(y, i), f32x4.mul(value, quickGate(value)));
  }
  for (; i < length; i++) {
    const value = f32x4.splat(load<f32>(at(x, i)));
    store<f32>(at(y, i), f32x4.extract_lane(f32x4.mul(value, quickGate(value)), 0));
  }
}

/** dx = dy · derivative of quickGelu at x. */
export function quickGeluGradient(dy: usize, x: usize, dx: usize, length: usize): void {
  let i: usize = 0;
  for (; i + LANES <= length; i += LANES) {
    v128.store(at(dx, i), f32x4.mul(v128.load(at(dy, i)), quickSlope(v128.load(at(x, i)))));
  }
  for (; i < length; i++) {
    const slope = quickSlope(f32x4.splat(load<f32>(at(x, i))));
    store<f32>(at(dx, i), load<f32>(at(dy, i)) * f32x4.extract_lane(slope, 0));
  }
}

/** y = x + bias, row by row. */
export function addBias(x: usize, bias: usize, y: usize, rows: usize, columns: usize): void {
  for (let row: usize = 0; row < rows; row++) {
    const from = at(x, row * columns);
    const to = at(y, row * columns);
    let i: usize = 0;
    for (; i + LANES <= columns; i += LANES) v128.store(at(to, i), f32x4.add(v128.load(at(from, i)), v128.load(at(bias, i))));
    for (; i < columns; i++) store<f32>(at(to, i), load<f32>(at(from, i)) + load<f32>(at(bias, i)));
  }
}

/** sum[c] = Σ_r x[r, c], rows in order. */
export function columnSum(x: usize, sum: usize, rows: usize, columns: usize): void {
  memory.fill(sum, 0, columns << 2);
  for (let row: usize = 0; row < rows; row++) {
    const from = at(x, row * columns);
    let i: usize = 0;
    for (; i + LANES <= columns; i += LANES) v128.store(at(sum, i), f32x4.add(v128.load(at(sum, i)), v128.load(at(from, i))));
    for (; i < columns; i++) store<f32>(at(sum, i), load<f32>(at(sum, i)) + load<f32>(at(from, i)));
  }
}

/** Layer norm of rows; moments receive mean and reciprocal standard deviation. */
export function layerNorm(x: usize, weight: usize, bias: usize, y: usize, moments: usize, rows: usize, size: usize, epsilon: f32): void {
  const whole = size & ~3;
  for (let row: usize = 0; row < rows; row++) {
    const from = at(x, row * size);
    const to = at(y, row * size);
    let sums = f32x4.splat(0);
    for (let i: usize = 0; i < whole; i += LANES) sums = f32x4.add(sums, v128.load(at(from, i)));
    let sum = horizontalSum(sums);
    for (let i = whole; i < size; i++) sum += load<f32>(at(from, i));
    const mean = sum / <f32>size;
    const means = f32x4.splat(mean);
    let squares = f32x4.splat(0);
    for (let i: usize = 0; i < whole; i += LANES) {
      const centred = f32x4.sub(v128.load(at(from, i)), means);
      squares = f32x4.add(squares, f32x4.mul(centred, centred));
    }
    let square = horizontalSum(squares);
    for (let i = whole; i < size; i++) {
      const centred = load<f32>(at(from, i)) - mean;
      square += centred * centred;
    }
    const scale: f32 = <f32>1 / sqrt<f32>(square / <f32>size + epsilon);
    const scales = f32x4.splat(scale);
    for (let i: usize = 0; i < whole; i += LANES) {
      const normalised = f32x4.mul(f32x4.sub(v128.load(at(from, i)), means), scales);
      v128.store(at(to, i), f32x4.add(f32x4.mul(normalised, v128.load(at(weight, i))), v128.load(at(bias, i))));
    }
    for (let i = whole; i < size; i++) {
      store<f32>(at(to, i), (load<f32>(at(from, i)) - mean) * scale * load<f32>(at(weight, i)) + load<f32>(at(bias, i)));
    }
    store<f32>(at(moments, row * 2), mean);
    store<f32>(at(moments, row * 2 + 1), scale);
  }
}

/** Gradients of layerNorm. */
export function layerNormGradient(
  dy: usize, x: usize, weight: usize, moments: usize, dx: usize, dWeight: usize, dBias: usize, rows: usize, size: usize,
): void {
  const whole = size & ~3;
  memory.fill(dWeight, 0, size << 2);
  memory.fill(dBias, 0, size << 2);
  for (let row: usize = 0; row < rows; row++) {
    const from = at(x, row * size);
    const up = at(dy, row * size);
    const to = at(dx, row * size);
    const mean = load<f32>(at(moments, row * 2));
    const scale = load<f32>(at(moments, row * 2 + 1));
    const means = f32x4.splat(mean);
    const scales = f32x4.splat(scale);
    let sums = f32x4.splat(0);
    let projections = f32x4.splat(0);
    for (let i: usize = 0; i < whole; i += LANES) {
      const upstream = v128.load(at(up, i));
      const normalised = f32x4.mul(f32x4.sub(v128.load(at(from, i)), means), scales);
      const weighted = f32x4.mul(upstream, v128.load(at(weight, i)));
      v128.store(at(dWeight, i), f32x4.add(v128.load(at(dWeight, i)), f32x4.mul(upstream, normalised)));
      v128.store(at(dBias, i), f32x4.add(v128.load(at(dBias, i)), upstream));
      sums = f32x4.add(sums, weighted);
      projections = f32x4.add(projections, f32x4.mul(weighted, normalised));
    }
    let sum = horizontalSum(sums);
    let projection = horizontalSum(projections);
    for (let i = whole; i < size; i++) {
      const upstream = load<f32>(at(up, i));
      const normalised = (load<f32>(at(from, i)) - mean) * scale;
      const weighted = upstream * load<f32>(at(weight, i));
      store<f32>(at(dWeight, i), load<f32>(at(dWeight, i)) + upstream * normalised);
      store<f32>(at(dBias, i), load<f32>(at(dBias, i)) + upstream);
      sum += weighted;
      projection += weighted * normalised;
    }
    sum /= <f32>size;
    projection /= <f32>size;
    const sumLanes = f32x4.splat(sum);
    const projectionLanes = f32x4.splat(projection);
    for (let i: usize = 0; i < whole; i += LANES) {
      const normalised = f32x4.mul(f32x4.sub(v128.load(at(from, i)), means), scales);
      const weighted = f32x4.mul(v128.load(at(up, i)), v128.load(at(weight, i)));
      const inner = f32x4.sub(f32x4.sub(weighted, sumLanes), f32x4.mul(normalised, projectionLanes));
      v128.store(at(to, i), f32x4.mul(inner, scales));
    }
    for (let i = whole; i < size; i++) {
      const normalised = (load<f32>(at(from, i)) - mean) * scale;
      store<f32>(at(to, i), scale * (load<f32>(at(up, i)) * load<f32>(at(weight, i)) - sum - normalised * projection));
    }
  }
}

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
