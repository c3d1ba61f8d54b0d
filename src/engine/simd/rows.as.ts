/** Kernels over rows: quick-GELU, biases, layer norm, and their gradients. */

// @ts-nocheck: checked by the AssemblyScript compiler

import { at, exponential, horizontalSum, LANES } from "./lanes.as";

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
