/** What the kernels for WebAssembly SIMD share: addresses, and arithmetic on the four lanes of a vector. */

// @ts-nocheck: checked by the AssemblyScript compiler

/** float32 values of a vector. */
export const LANES: usize = 4;

// @ts-ignore: decorator
@inline
export function at(base: usize, index: usize): usize {
  return base + (index << 2);
}

// @ts-ignore: decorator
@inline
export function horizontalSum(x: v128): f32 {
  return f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3));
}

/** e^x for |x| up to 87, clamped beyond; Cephes' expf: reduction by ln 2, then a polynomial; relative error below 2e-7. */
// @ts-ignore: decorator
@inline
export function exponential(value: v128): v128 {
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
