// Arithmetic over whole models in plain memory: what src/merging/adaptive does to task vectors, masks and their gradients, on several threads.
// Sums are taken block by block and added in the blocks' order, so that they do not depend on the number of threads.
#ifndef DAMLAB_VECTORS_H_
#define DAMLAB_VECTORS_H_

#include <algorithm>
#include <vector>

#include "kernels.h"
#include "threads.h"

namespace damlab {

// Elements of a block: those of several vectors fit into a core's cache together.
constexpr size_t BLOCK = 8192;
// Fewer are not worth a thread.
constexpr size_t LEAST_BLOCKS = 8;

// work(block, start, end) for every block; each thread has blocks that lie side by side.
template <typename Work>
void forEachBlock(size_t length, const Work& work) {
  const size_t blocks = (length + BLOCK - 1) / BLOCK;
  const size_t threads = std::max<size_t>(1, std::min(threadCount(), blocks / LEAST_BLOCKS));
  Threads::shared().run(threads, [&](size_t thread) {
    const size_t end = blocks * (thread + 1) / threads;
    for (size_t block = blocks * thread / threads; block < end; block++) work(block, block * BLOCK, std::min(length, (block + 1) * BLOCK));
  });
}

// The sum over all blocks of what work(start, length) gives, in their order.
template <typename Work>
double sumBlocks(size_t length, const Work& work) {
  std::vector<double> parts((length + BLOCK - 1) / BLOCK);
  forEachBlock(length, [&](size_t block, size_t start, size_t end) { parts[block] = work(start, end - start); });
  double sum = 0;
  for (const double part : parts) sum += part;
  return sum;
}

// theta = origin + mask * sum; no mask is a mask of ones.
FOR_EACH_PROCESSOR void addMasked(float* __restrict theta, const float* __restrict origin, const float* __restrict mask,
                                  const float* __restrict sum, size_t length) {
  if (mask) {
#pragma omp simd
    for (size_t i = 0; i < length; i++) theta[i] = (float)(origin[i] + (double)mask[i] * sum[i]);
  } else {
#pragma omp simd
    for (size_t i = 0; i < length; i++) theta[i] = (float)(origin[i] + (double)sum[i]);
  }
}

FOR_EACH_PROCESSOR void multiplyBlock(float* __restrict target, const float* __restrict a, const float* __restrict b, size_t length) {
#pragma omp simd
  for (size_t i = 0; i < length; i++) target[i] = a[i] * b[i];
}

// Sums of many products: in float32 over short runs in 64 lanes, then in float64, so that rounding stays below that of the inputs.
constexpr size_t LANES = 64, RUN = 16 * LANES;

FOR_EACH_PROCESSOR double dotBlock(const float* __restrict a, const float* __restrict b, size_t length) {
  double sum = 0;
  size_t start = 0;
  for (; start + RUN <= length; start += RUN) {
    float lanes[LANES] = {};
    for (size_t i = start; i < start + RUN; i += LANES) {
#pragma omp simd
      for (size_t lane = 0; lane < LANES; lane++) lanes[lane] += a[i + lane] * b[i + lane];
    }
    double part = 0;
#pragma omp simd reduction(+ : part)
    for (size_t lane = 0; lane < LANES; lane++) part += lanes[lane];
    sum += part;
  }
  for (; start < length; start++) sum += (double)a[start] * b[start];
  return sum;
}

// gates = sigmoid((noise + logits) / temperature); gives their sum.
FOR_EACH_PROCESSOR double openBlock(float* __restrict gates, const float* __restrict logits, const float* __restrict noise, float slope,
                                    size_t length) {
  if (noise) {
#pragma omp simd
    for (size_t i = 0; i < length; i++) gates[i] = 1.f / (1.f + exponential((noise[i] + logits[i]) * -slope));
  } else {
#pragma omp simd
    for (size_t i = 0; i < length; i++) gates[i] = 1.f / (1.f + exponential(logits[i] * -slope));
  }
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (size_t i = 0; i < length; i++) sum += gates[i];
  return sum;
}

// Sum of sigmoid(logits).
FOR_EACH_PROCESSOR double densityBlock(const float* __restrict logits, size_t length) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (size_t i = 0; i < length; i++) sum += 1.f / (1.f + exponential(-logits[i]));
  return sum;
}

// target = (fresh ? 1 : target) * values / divisor.
FOR_EACH_PROCESSOR void scaleBlock(float* __restrict target, const float* __restrict values, float divisor, bool fresh, size_t length) {
  if (fresh) {
#pragma omp simd
    for (size_t i = 0; i < length; i++) target[i] = values[i] / divisor;
  } else {
#pragma omp simd
    for (size_t i = 0; i < length; i++) target[i] = target[i] * (values[i] / divisor);
  }
}

// slopes = (slopes / mean - shared) * gate * (1 - gate) / temperature.
FOR_EACH_PROCESSOR void slopeBlock(float* __restrict slopes, const float* __restrict gates, double mean, double shared, double temperature,
                                   size_t length) {
#pragma omp simd
  for (size_t i = 0; i < length; i++) {
    const double gate = gates[i];
    slopes[i] = (float)((slopes[i] / mean - shared) * gate * (1 - gate) / temperature);
  }
}

// target += factor * values.
FOR_EACH_PROCESSOR void addBlock(float* __restrict target, double factor, const float* __restrict values, size_t length) {
#pragma omp simd
  for (size_t i = 0; i < length; i++) target[i] = (float)(target[i] + factor * values[i]);
}

struct AdamSettings {
  double stepSize, keep, beta1, beta2, correction2, epsilon;
};

// One step of Adam, as src/training/adam.ts does it.
FOR_EACH_PROCESSOR void adamBlock(float* __restrict parameters, const float* __restrict gradient, float* __restrict first,
                                  float* __restrict second, AdamSettings s, size_t length) {
#pragma omp simd
  for (size_t i = 0; i < length; i++) {
    const double slope = gradient[i];
    const double moment1 = s.beta1 * first[i] + (1 - s.beta1) * slope;
    const double moment2 = s.beta2 * second[i] + (1 - s.beta2) * slope * slope;
    first[i] = (float)moment1;
    second[i] = (float)moment2;
    parameters[i] = (float)(parameters[i] * s.keep - s.stepSize * moment1 / (sqrt(moment2) / s.correction2 + s.epsilon));
  }
}

FOR_EACH_PROCESSOR double sumBlock(const float* __restrict values, size_t length) {
  double sum = 0;
  size_t start = 0;
  for (; start + RUN <= length; start += RUN) {
    float lanes[LANES] = {};
    for (size_t i = start; i < start + RUN; i += LANES) {
#pragma omp simd
      for (size_t lane = 0; lane < LANES; lane++) lanes[lane] += values[i + lane];
    }
    double part = 0;
#pragma omp simd reduction(+ : part)
    for (size_t lane = 0; lane < LANES; lane++) part += lanes[lane];
    sum += part;
  }
  for (; start < length; start++) sum += values[start];
  return sum;
}

}  // namespace damlab

#endif  // DAMLAB_VECTORS_H_
