// The fused kernels of src/engine/simd/kernels.as.ts for this machine's processor: the same functions of the same arguments, on addresses.
// The compiler vectorises them, once for each of the instruction sets named below; the fastest is chosen when the library is loaded.
#ifndef DAMLAB_KERNELS_H_
#define DAMLAB_KERNELS_H_

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <vector>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
#define FOR_EACH_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#elif defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif
#define INLINE static inline __attribute__((always_inline))

namespace damlab {

// e^x for |x| up to 87, clamped beyond; Cephes' expf: reduction by ln 2, then a polynomial; relative error below 2e-7.
INLINE float exponential(float value) {
  const float low = value < -87.3f ? -87.3f : value;
  const float x = low > 87.3f ? 87.3f : low;
  const float n = (x * 1.44269504f + 12582912.f) - 12582912.f;  // rounds to the nearest integer
  float r = x - n * 0.693359375f;
  r = r - n * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.f;
  const int32_t bits = ((int32_t)n + 127) << 23;
  float power;
  memcpy(&power, &bits, sizeof power);
  return p * power;
}

INLINE float quickGate(float x) { return 1.f / (1.f + exponential(x * -1.702f)); }

// y = x * sigmoid(1.702 x).
FOR_EACH_PROCESSOR void quickGelu(const float* __restrict x, float* __restrict y, size_t length) {
#pragma omp simd
  for (size_t i = 0; i < length; i++) y[i] = x[i] * quickGate(x[i]);
}

// dx = dy * derivative of quickGelu at x.
FOR_EACH_PROCESSOR void quickGeluGradient(const float* __restrict dy, const float* __restrict x, float* __restrict dx, size_t length) {
#pragma omp simd
  for (size_t i = 0; i < length; i++) {
    const float gate = quickGate(x[i]);
    dx[i] = dy[i] * gate * (1.f + x[i] * 1.702f * (1.f - gate));
  }
}

// y = x + bias, row by row.
FOR_EACH_PROCESSOR void addBias(const float* __restrict x, const float* __restrict bias, float* __restrict y, size_t rows, size_t columns) {
  for (size_t row = 0; row < rows; row++) {
    const float* __restrict from = x + row * columns;
    float* __restrict to = y + row * columns;
#pragma omp simd
    for (size_t i = 0; i < columns; i++) to[i] = from[i] + bias[i];
  }
}

// sum[c] = sum over r of x[r, c]. Blocks of rows are added first, which keeps rounding errors of many rows small.
FOR_EACH_PROCESSOR void columnSum(const float* __restrict x, float* __restrict sum, size_t rows, size_t columns) {
  std::vector<float> block(columns);
  memset(sum, 0, columns * sizeof(float));
  for (size_t start = 0; start < rows; start += 64) {
    const size_t end = start + 64 < rows ? start + 64 : rows;
    float* __restrict part = block.data();
    memset(part, 0, columns * sizeof(float));
    for (size_t row = start; row < end; row++) {
      const float* __restrict from = x + row * columns;
#pragma omp simd
      for (size_t i = 0; i < columns; i++) part[i] += from[i];
    }
#pragma omp simd
    for (size_t i = 0; i < columns; i++) sum[i] += part[i];
  }
}

// Layer norm of rows; moments receive mean and reciprocal standard deviation. Sums over a row are taken in float64: a gradient is a small
// difference of them, and Adam makes the rounding of small gradients large.
FOR_EACH_PROCESSOR void layerNorm(const float* __restrict x, const float* __restrict weight, const float* __restrict bias, float* __restrict y,
                                  float* __restrict moments, size_t rows, size_t size, float epsilon) {
  for (size_t row = 0; row < rows; row++) {
    const float* __restrict from = x + row * size;
    float* __restrict to = y + row * size;
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < size; i++) sum += from[i];
    const float mean = (float)(sum / (double)size);
    double squares = 0;
#pragma omp simd reduction(+ : squares)
    for (size_t i = 0; i < size; i++) squares += (double)(from[i] - mean) * (from[i] - mean);
    const float scale = (float)(1. / sqrt(squares / (double)size + (double)epsilon));
#pragma omp simd
    for (size_t i = 0; i < size; i++) to[i] = (from[i] - mean) * scale * weight[i] + bias[i];
    moments[row * 2] = mean;
    moments[row * 2 + 1] = scale;
  }
}

// Gradients of layerNorm.
FOR_EACH_PROCESSOR void layerNormGradient(const float* __restrict dy, const float* __restrict x, const float* __restrict weight,
                                          const float* __restrict moments, float* __restrict dx, float* __restrict dWeight,
                                          float* __restrict dBias, size_t rows, size_t size) {
  memset(dWeight, 0, size * sizeof(float));
  memset(dBias, 0, size * sizeof(float));
  for (size_t row = 0; row < rows; row++) {
    const float* __restrict from = x + row * size;
    const float* __restrict up = dy + row * size;
    float* __restrict to = dx + row * size;
    const float mean = moments[row * 2];
    const float scale = moments[row * 2 + 1];
    double sum = 0;
    double projection = 0;
#pragma omp simd reduction(+ : sum, projection)
    for (size_t i = 0; i < size; i++) {
      const float normalised = (from[i] - mean) * scale;
      const double weighted = (double)up[i] * weight[i];
      dWeight[i] += up[i] * normalised;
      dBias[i] += up[i];
      sum += weighted;
      projection += weighted * normalised;
    }
    sum /= (double)size;
    projection /= (double)size;
#pragma omp simd
    for (size_t i = 0; i < size; i++) {
      const double normalised = (double)((from[i] - mean) * scale);
      to[i] = (float)(scale * ((double)up[i] * weight[i] - sum - normalised * projection));
    }
  }
}

// Rows R x columns C of out[i, s] = factor * sum over j of a[i * aRow + j * aColumn] * b[j * bRow + s], held in registers.
template <int R, int C>
INLINE void multiplyBlock(float* __restrict out, size_t outRow, const float* __restrict a, size_t aRow, size_t aColumn,
                          const float* __restrict b, size_t bRow, size_t inner, float factor) {
  float sums[R][C] = {};
  for (size_t j = 0; j < inner; j++) {
    for (int r = 0; r < R; r++) {
      const float weight = a[r * aRow + j * aColumn];
#pragma omp simd
      for (int c = 0; c < C; c++) sums[r][c] += weight * b[j * bRow + c];
    }
  }
  for (int r = 0; r < R; r++) {
#pragma omp simd
    for (int c = 0; c < C; c++) out[r * outRow + c] = factor * sums[r][c];
  }
}

template <int R>
INLINE void multiplyRows(float* __restrict out, size_t outRow, const float* __restrict a, size_t aRow, size_t aColumn,
                         const float* __restrict b, size_t bRow, size_t inner, size_t columns, float factor) {
  size_t s = 0;
  for (; s + 16 <= columns; s += 16) multiplyBlock<R, 16>(out + s, outRow, a, aRow, aColumn, b + s, bRow, inner, factor);
  for (; s + 8 <= columns; s += 8) multiplyBlock<R, 8>(out + s, outRow, a, aRow, aColumn, b + s, bRow, inner, factor);
  for (; s < columns; s++) multiplyBlock<R, 1>(out + s, outRow, a, aRow, aColumn, b + s, bRow, inner, factor);
}

INLINE void multiply(float* __restrict out, size_t outRow, const float* __restrict a, size_t aRow, size_t aColumn, const float* __restrict b,
                     size_t bRow, size_t rows, size_t inner, size_t columns, float factor) {
  size_t i = 0;
  for (; i + 4 <= rows; i += 4) multiplyRows<4>(out + i * outRow, outRow, a + i * aRow, aRow, aColumn, b, bRow, inner, columns, factor);
  for (; i < rows; i++) multiplyRows<1>(out + i * outRow, outRow, a + i * aRow, aRow, aColumn, b, bRow, inner, columns, factor);
}

// transposed[s, t] = rows[t, s] for t < tokens, zero up to `padded` tokens.
INLINE void transpose(const float* __restrict rows, float* __restrict transposed, size_t tokens, size_t padded, size_t size, size_t stride) {
  for (size_t s = 0; s < size; s++) {
    float* __restrict to = transposed + s * padded;
    for (size_t t = 0; t < tokens; t++) to[t] = rows[t * stride + s];
    for (size_t t = tokens; t < padded; t++) to[t] = 0;
  }
}

// In place: softmax over the first `tokens` values.
INLINE void softmax(float* __restrict weights, size_t tokens) {
  float largest = weights[0];
#pragma omp simd reduction(max : largest)
  for (size_t t = 0; t < tokens; t++) largest = weights[t] > largest ? weights[t] : largest;
  float total = 0;
#pragma omp simd reduction(+ : total)
  for (size_t t = 0; t < tokens; t++) {
    weights[t] = exponential(weights[t] - largest);
    total += weights[t];
  }
  const float factor = 1.f / total;
#pragma omp simd
  for (size_t t = 0; t < tokens; t++) weights[t] *= factor;
}

INLINE size_t paddedTokens(size_t tokens) { return (tokens + 7) & ~(size_t)7; }

// Attention of all heads of `batch` sequences.
FOR_EACH_PROCESSOR void attention(const float* q, const float* k, const float* v, float* context, float* probabilities, size_t batch,
                                  size_t tokens, size_t heads, size_t size) {
  const size_t stride = heads * size, padded = paddedTokens(tokens);
  const float scale = 1.f / sqrtf((float)size);
  std::vector<float> keys(size * padded), scores(tokens * padded);
  for (size_t index = 0; index < batch * heads; index++) {
    const size_t start = (index / heads) * tokens * stride + (index % heads) * size;
    float* block = probabilities + index * tokens * tokens;
    transpose(k + start, keys.data(), tokens, padded, size, stride);
    multiply(scores.data(), padded, q + start, stride, 1, keys.data(), padded, tokens, size, padded, scale);
    for (size_t t = 0; t < tokens; t++) {
      softmax(scores.data() + t * padded, tokens);
      memcpy(block + t * tokens, scores.data() + t * padded, tokens * sizeof(float));
    }
    multiply(context + start, stride, scores.data(), padded, 1, v + start, stride, tokens, tokens, size, 1.f);
  }
}

// Gradients of attention.
FOR_EACH_PROCESSOR void attentionGradient(const float* dContext, const float* q, const float* k, const float* v, const float* probabilities,
                                          float* dq, float* dk, float* dv, size_t batch, size_t tokens, size_t heads, size_t size) {
  const size_t stride = heads * size, padded = paddedTokens(tokens);
  const float scale = 1.f / sqrtf((float)size);
  std::vector<float> values(size * padded), scores(tokens * padded);
  for (size_t index = 0; index < batch * heads; index++) {
    const size_t start = (index / heads) * tokens * stride + (index % heads) * size;
    const float* block = probabilities + index * tokens * tokens;
    transpose(v + start, values.data(), tokens, padded, size, stride);
    multiply(scores.data(), padded, dContext + start, stride, 1, values.data(), padded, tokens, size, padded, 1.f);
    for (size_t t = 0; t < tokens; t++) {
      float* __restrict row = scores.data() + t * padded;
      const float* __restrict weights = block + t * tokens;
      float mean = 0;
#pragma omp simd reduction(+ : mean)
      for (size_t j = 0; j < tokens; j++) mean += row[j] * weights[j];
#pragma omp simd
      for (size_t j = 0; j < tokens; j++) row[j] = weights[j] * (row[j] - mean) * scale;
    }
    multiply(dq + start, stride, scores.data(), padded, 1, k + start, stride, tokens, tokens, size, 1.f);
    multiply(dk + start, stride, scores.data(), 1, padded, q + start, stride, tokens, tokens, size, 1.f);
    multiply(dv + start, stride, block, 1, tokens, dContext + start, stride, tokens, tokens, size, 1.f);
  }
}

}  // namespace damlab

#endif  // DAMLAB_KERNELS_H_
