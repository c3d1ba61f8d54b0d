/**
 * Arithmetic over task vectors for WebAssembly SIMD, in AssemblyScript, on blocks in its memory: those that the caller copies there, which stay in
 * the processor's cache, and vectors that lie in the memory as a whole. Everything is computed in float64 in the order of `vectorLoops.ts`, so the
 * results are the same bytes.
 * `npm run simd` compiles this file into `vectors.wasm.ts`.
 */

// @ts-nocheck: checked by the AssemblyScript compiler

// @ts-ignore: decorator
@inline
function low(x: v128): v128 {
  return f64x2.promote_low_f32x4(x);
}

// @ts-ignore: decorator
@inline
function high(x: v128): v128 {
  return f64x2.promote_low_f32x4(i64x2.shuffle(x, x, 1, 1));
}

// @ts-ignore: decorator
@inline
function storeRounded(to: usize, first: v128, second: v128): void {
  v128.store(to, i64x2.shuffle(f32x4.demote_f64x2_zero(first), f32x4.demote_f64x2_zero(second), 0, 2));
}

// @ts-ignore: decorator
@inline
function rounded(x: v128): v128 {
  return low(f32x4.demote_f64x2_zero(x));
}

/** Widens the bits of bfloat16, eight at a time; the length is rounded up to that. */
export function widen(to: usize, from: usize, length: usize): void {
  const zero = i16x8.splat(0);
  const bytes = length << 1;
  for (let i: usize = 0; i < bytes; i += 16) {
    const bits = v128.load(from + i);
    v128.store(to + (i << 1), i16x8.shuffle(zero, bits, 0, 8, 1, 9, 2, 10, 3, 11));
    v128.store(to + (i << 1), i16x8.shuffle(zero, bits, 4, 12, 5, 13, 6, 14, 7, 15), 16);
  }
}

// @ts-ignore: decorator
@inline
function scaleThree(xs: v128, ys: v128, zs: v128, p: v128, q: v128, r: v128): v128 {
  return f64x2.add(f64x2.add(f64x2.mul(xs, p), f64x2.mul(ys, q)), f64x2.mul(zs, r));
}

// @ts-ignore: decorator
@inline
function addScaled(sum: v128, xs: v128, ys: v128, zs: v128, p: v128, q: v128, r: v128): v128 {
  return f64x2.add(f64x2.add(f64x2.add(sum, f64x2.mul(xs, p)), f64x2.mul(ys, q)), f64x2.mul(zs, r));
}

/** sum ← (fresh ? 0 : sum) + a · x + b · y + c · z; lengths are rounded up to four. */
export function addThree(sum: usize, fresh: bool, a: usize, b: usize, c: usize, x: f64, y: f64, z: f64, length: usize): void {
  const bytes = length << 2;
  const xs = f64x2.splat(x);
  const ys = f64x2.splat(y);
  const zs = f64x2.splat(z);
  for (let i: usize = 0; i < bytes; i += 16) {
    const p = v128.load(a + i);
    const q = v128.load(b + i);
    const r = v128.load(c + i);
    if (fresh) {
      storeRounded(sum + i, scaleThree(xs, ys, zs, low(p), low(q), low(r)), scaleThree(xs, ys, zs, high(p), high(q), high(r)));
    } else {
      const s = v128.load(sum + i);
      const first = addScaled(low(s), xs, ys, zs, low(p), low(q), low(r));
      storeRounded(sum + i, first, addScaled(high(s), xs, ys, zs, high(p), high(q), high(r)));
    }
  }
}

/** What `addThree` gives of three vectors and then of three more, in one go. */
export function addSix(
  sum: usize,
  a: usize,
  b: usize,
  c: usize,
  d: usize,
  e: usize,
  f: usize,
  x: f64,
  y: f64,
  z: f64,
  u: f64,
  v: f64,
  w: f64,
  length: usize,
): void {
  const bytes = length << 2;
  const xs = f64x2.splat(x);
  const ys = f64x2.splat(y);
  const zs = f64x2.splat(z);
  const us = f64x2.splat(u);
  const vs = f64x2.splat(v);
  const ws = f64x2.splat(w);
  for (let i: usize = 0; i < bytes; i += 16) {
    const p = v128.load(a + i);
    const q = v128.load(b + i);
    const r = v128.load(c + i);
    // Rounded in between, as in a sum that is stored.
    const first = rounded(scaleThree(xs, ys, zs, low(p), low(q), low(r)));
    const second = rounded(scaleThree(xs, ys, zs, high(p), high(q), high(r)));
    const k = v128.load(d + i);
    const l = v128.load(e + i);
    const m = v128.load(f + i);
    const sums = addScaled(first, us, vs, ws, low(k), low(l), low(m));
    storeRounded(sum + i, sums, addScaled(second, us, vs, ws, high(k), high(l), high(m)));
  }
}

/** theta ← origin + mask · sum; a mask at 0 is none. */
export function addMasked(theta: usize, origin: usize, mask: usize, sum: usize, length: usize): void {
  const bytes = length << 2;
  for (let i: usize = 0; i < bytes; i += 16) {
    const o = v128.load(origin + i);
    const s = v128.load(sum + i);
    let first = low(s);
    let second = high(s);
    if (mask) {
      const m = v128.load(mask + i);
      first = f64x2.mul(low(m), first);
      second = f64x2.mul(high(m), second);
    }
    storeRounded(theta + i, f64x2.add(low(o), first), f64x2.add(high(o), second));
  }
}

// @ts-ignore: decorator
@inline
function addPair(sums: v128, values: v128, pair: v128): v128 {
  return f64x2.add(sums, f64x2.mul(values, pair));
}

// @ts-ignore: decorator
@inline
function addFour(sums: v128, p: v128, q: v128, v0: v128, v1: v128, v2: v128, v3: v128): v128 {
  const near = i32x4.shuffle(p, q, 0, 4, 1, 5);
  const far = i32x4.shuffle(p, q, 2, 6, 3, 7);
  return addPair(addPair(addPair(addPair(sums, v0, low(near)), v1, high(near)), v2, low(far)), v3, high(far));
}

/**
 * sums[t] += ⟨gradient · mask, vector t⟩ for six vectors, each element after the one before; six float64 sums.
 * A mask at 0 is none. What follows the length up to four must be zero in the gradient, and finite in mask and vectors.
 */
export function dotSix(
  gradient: usize,
  mask: usize,
  a: usize,
  b: usize,
  c: usize,
  d: usize,
  e: usize,
  f: usize,
  sums: usize,
  length: usize,
): void {
  const bytes = length << 2;
  let ab = f64x2.splat(0);
  let cd = f64x2.splat(0);
  let ef = f64x2.splat(0);
  for (let i: usize = 0; i < bytes; i += 16) {
    const g = v128.load(gradient + i);
    let first = low(g);
    let second = high(g);
    if (mask) {
      const m = v128.load(mask + i);
      first = f64x2.mul(first, low(m));
      second = f64x2.mul(second, high(m));
    }
    const v0 = i64x2.shuffle(first, first, 0, 0);
    const v1 = i64x2.shuffle(first, first, 1, 1);
    const v2 = i64x2.shuffle(second, second, 0, 0);
    const v3 = i64x2.shuffle(second, second, 1, 1);
    ab = addFour(ab, v128.load(a + i), v128.load(b + i), v0, v1, v2, v3);
    cd = addFour(cd, v128.load(c + i), v128.load(d + i), v0, v1, v2, v3);
    ef = addFour(ef, v128.load(e + i), v128.load(f + i), v0, v1, v2, v3);
  }
  v128.store(sums, f64x2.add(v128.load(sums), ab));
  v128.store(sums, f64x2.add(v128.load(sums, 16), cd), 16);
  v128.store(sums, f64x2.add(v128.load(sums, 32), ef), 32);
}
