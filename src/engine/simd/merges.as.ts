/**
 * Data-free merges for WebAssembly SIMD, in AssemblyScript, on slices that the caller reads from files into a memory of its own. Models lie
 * `stride` bytes apart. Everything is computed in float32, model after model, as the plain loops of src/merging do, so the results are the same
 * bytes. `npm run simd` compiles this file into `merges.wasm.ts`.
 */

// @ts-nocheck: checked by the AssemblyScript compiler

/** out ← (Σ models) / count; lengths are rounded up to eight. */
export function average(out: usize, models: usize, stride: usize, count: u32, length: usize): void {
  const divisor = f32x4.splat(<f32>count);
  const end = models + <usize>count * stride;
  const bytes = length << 2;
  for (let i: usize = 0; i < bytes; i += 32) {
    let first = f32x4.splat(0);
    let second = f32x4.splat(0);
    for (let at = models; at < end; at += stride) {
      first = f32x4.add(first, v128.load(at + i));
      second = f32x4.add(second, v128.load(at + i, 16));
    }
    v128.store(out + i, f32x4.div(first, divisor));
    v128.store(out + i, f32x4.div(second, divisor), 16);
  }
}

/** out ← origin + scaling · Σ (model − origin); lengths are rounded up to eight. */
export function addTaskVectors(out: usize, origin: usize, models: usize, stride: usize, count: u32, scaling: f32, length: usize): void {
  const factor = f32x4.splat(scaling);
  const end = models + <usize>count * stride;
  const bytes = length << 2;
  for (let i: usize = 0; i < bytes; i += 32) {
    const o = v128.load(origin + i);
    const p = v128.load(origin + i, 16);
    let first = f32x4.splat(0);
    let second = f32x4.splat(0);
    for (let at = models; at < end; at += stride) {
      first = f32x4.add(first, f32x4.sub(v128.load(at + i), o));
      second = f32x4.add(second, f32x4.sub(v128.load(at + i, 16), p));
    }
    v128.store(out + i, f32x4.add(o, f32x4.mul(factor, first)));
    v128.store(out + i, f32x4.add(p, f32x4.mul(factor, second)), 16);
  }
}

// @ts-ignore: decorator
@inline
function magnitude(value: f32): u32 {
  return reinterpret<u32>(value) & 0x7fffffff;
}

/**
 * Looks at the bits of |value − origin|: those in [low, low + width) are counted in `buckets` of 2^shift bit patterns each.
 * @returns How many lie below `low`; 2^32 − 1 if any is NaN or infinite, which fewer elements never reach.
 */
export function countMagnitudes(
  values: usize,
  origin: usize,
  length: usize,
  low: u32,
  width: u32,
  shift: u32,
  buckets: usize,
): u32 {
  const bits = i32x4.splat(0x7fffffff);
  const lows = i32x4.splat(low);
  const widths = i32x4.splat(width);
  let below = i32x4.splat(0);
  let largest = i32x4.splat(0);
  const end = (length << 2) & ~15;
  for (let i: usize = 0; i < end; i += 16) {
    const m = v128.and(f32x4.sub(v128.load(values + i), v128.load(origin + i)), bits);
    largest = i32x4.max_s(largest, m);
    below = i32x4.sub(below, i32x4.lt_s(m, lows));
    const offset = i32x4.sub(m, lows);
    let inside = i32x4.bitmask(i32x4.lt_u(offset, widths));
    while (inside) {
      const lane = ctz(inside);
      inside &= inside - 1;
      count(buckets, (magnitude(load<f32>(values + i + (lane << 2)) - load<f32>(origin + i + (lane << 2))) - low) >>> shift);
    }
  }
  let sum: u32 =
    i32x4.extract_lane(below, 0) + i32x4.extract_lane(below, 1) + i32x4.extract_lane(below, 2) + i32x4.extract_lane(below, 3);
  const high = i32x4.max_s(largest, i32x4.shuffle(largest, largest, 2, 3, 0, 1));
  let most: u32 = max(i32x4.extract_lane(high, 0), i32x4.extract_lane(high, 1));
  for (let i = end; i < length << 2; i += 4) {
    const m = magnitude(load<f32>(values + i) - load<f32>(origin + i));
    most = max(most, m);
    if (m < low) sum++;
    else if (m - low < width) count(buckets, (m - low) >>> shift);
  }
  return most >= 0x7f800000 ? u32.MAX_VALUE : sum;
}

// @ts-ignore: decorator
@inline
function count(buckets: usize, bucket: u32): void {
  const at = buckets + ((<usize>bucket) << 2);
  store<u32>(at, load<u32>(at) + 1);
}

/** Signs of the sums that `mergeTrimmed` met: how many more were positive than negative, and how many entries cancelled out exactly. */
let balance: i32 = 0;
let cancelled: i32 = 0;

export function takeBalance(): i32 {
  const found = balance;
  balance = 0;
  return found;
}

export function takeCancelled(): i32 {
  const found = cancelled;
  cancelled = 0;
  return found;
}

/**
 * Ties: out ← origin + scaling · (of each entry's trimmed task vectors, those of the elected sign; their sum, or mean).
 * @param cuts For each model a float32 threshold and a uint32: how many entries on the threshold are still kept (2^32 − 1: all).
 * @param zeroPositive Whether a sum of zero elects the positive sign.
 */
export function mergeTrimmed(
  out: usize,
  origin: usize,
  models: usize,
  stride: usize,
  number: u32,
  cuts: usize,
  scaling: f32,
  zeroPositive: bool,
  mean: bool,
  length: usize,
): void {
  const factor = f32x4.splat(scaling);
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  const zeroMask = i32x4.splat(zeroPositive ? -1 : 0);
  const bytes = length << 2;
  let signs = i32x4.splat(0);
  let ties = i32x4.splat(0);
  for (let i: usize = 0; i < bytes; i += 16) {
    const o = v128.load(origin + i);
    let total = zero;
    let positive = zero;
    let negative = zero;
    let positives = zero;
    let negatives = zero;
    let at = models + i;
    for (let t: u32 = 0; t < number; t++, at += stride) {
      const cut = cuts + (<usize>t << 3);
      const threshold = v128.load32_splat(cut);
      const entry = f32x4.sub(v128.load(at), o);
      const size = f32x4.abs(entry);
      let kept = f32x4.ge(size, threshold);
      const left = load<u32>(cut, 4);
      if (left !== u32.MAX_VALUE) kept = keepSome(kept, f32x4.eq(size, threshold), cut, left);
      const some = v128.and(entry, kept);
      total = f32x4.add(total, some);
      // A NaN or zero among them is neither.
      const above = f32x4.gt(some, zero);
      const under = f32x4.lt(some, zero);
      positive = f32x4.add(positive, v128.and(some, above));
      negative = f32x4.add(negative, v128.and(some, under));
      if (mean) {
        positives = f32x4.add(positives, v128.and(one, above));
        negatives = f32x4.add(negatives, v128.and(one, under));
      }
    }
    const up = f32x4.gt(total, zero);
    const even = f32x4.eq(total, zero);
    signs = i32x4.add(i32x4.sub(signs, up), f32x4.lt(total, zero));
    ties = i32x4.sub(ties, v128.and(even, f32x4.gt(positive, zero)));
    if (mean) {
      positive = f32x4.div(positive, f32x4.pmax(positives, one));
      negative = f32x4.div(negative, f32x4.pmax(negatives, one));
    }
    const elected = v128.bitselect(positive, negative, v128.or(up, v128.and(even, zeroMask)));
    v128.store(out + i, f32x4.add(o, f32x4.mul(factor, elected)));
  }
  balance += i32x4.extract_lane(signs, 0) + i32x4.extract_lane(signs, 1) + i32x4.extract_lane(signs, 2) + i32x4.extract_lane(signs, 3);
  cancelled += i32x4.extract_lane(ties, 0) + i32x4.extract_lane(ties, 1) + i32x4.extract_lane(ties, 2) + i32x4.extract_lane(ties, 3);
}

/** Of entries on the threshold, the first `left` are kept. */
function keepSome(kept: v128, equal: v128, cut: usize, left: u32): v128 {
  const lanes = i32x4.bitmask(equal);
  if (lanes === 0) return kept;
  let dropped: v128 = i32x4.splat(0);
  for (let lane = 0; lane < 4; lane++) {
    if (((lanes >> lane) & 1) === 0) continue;
    if (left > 0) left--;
    else if (lane === 0) dropped = i32x4.replace_lane(dropped, 0, -1);
    else if (lane === 1) dropped = i32x4.replace_lane(dropped, 1, -1);
    else if (lane === 2) dropped = i32x4.replace_lane(dropped, 2, -1);
    else dropped = i32x4.replace_lane(dropped, 3, -1);
  }
  store<u32>(cut, left, 4);
  return v128.andnot(kept, dropped);
}
