// What is done to several task vectors at once: merges and the gradient of their coefficients. Elements are float32 or bfloat16.
#ifndef DAMLAB_TASK_VECTORS_H_
#define DAMLAB_TASK_VECTORS_H_

#include "vectors.h"

namespace damlab {

// The upper half of a float32, which is widened where it is read.
struct Bfloat16 {
  uint16_t bits;
  operator float() const {
    const uint32_t wide = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &wide, sizeof value);
    return value;
  }
};

// sum[i] = (fresh ? 0 : sum[i]) + up to three vectors times their factors, added in float64.
template <typename Element>
INLINE void addThree(float* __restrict sum, const Element* const* vectors, const double* factors, size_t count, bool fresh, size_t start,
                     size_t length) {
  const Element* __restrict a = vectors[0] + start;
  const Element* __restrict b = vectors[count > 1 ? 1 : 0] + start;
  const Element* __restrict c = vectors[count > 2 ? 2 : 0] + start;
  const double x = factors[0], y = count > 1 ? factors[1] : 0, z = count > 2 ? factors[2] : 0;
  if (fresh) {
#pragma omp simd
    for (size_t i = 0; i < length; i++) sum[i] = (float)(x * (float)a[i] + y * (float)b[i] + z * (float)c[i]);
  } else {
#pragma omp simd
    for (size_t i = 0; i < length; i++) sum[i] = (float)(sum[i] + x * (float)a[i] + y * (float)b[i] + z * (float)c[i]);
  }
}

FOR_EACH_PROCESSOR void addScaled(float* sum, const float* const* vectors, const double* factors, size_t count, bool fresh, size_t start,
                                  size_t length) {
  addThree(sum, vectors, factors, count, fresh, start, length);
}

FOR_EACH_PROCESSOR void addScaled(float* sum, const Bfloat16* const* vectors, const double* factors, size_t count, bool fresh, size_t start,
                                  size_t length) {
  addThree(sum, vectors, factors, count, fresh, start, length);
}

// Where a merge goes to, and what it is added to.
struct MergeTargets {
  float *combined, *theta;
  const float *origin, *mask;
};

// Elements whose sum stays in the nearest cache until theta is made of it.
constexpr size_t STRIP = 2048;

// combined = sum over tasks of factor * vector; theta = origin + mask * combined. Either target may be null.
template <typename Element>
void mergeVectors(const MergeTargets& to, const Element* const* vectors, const double* factors, size_t tasks, size_t length) {
  forEachBlock(length, [&](size_t, size_t blockStart, size_t blockEnd) {
    float own[STRIP];
    for (size_t start = blockStart; start < blockEnd; start += STRIP) {
      const size_t count = std::min(STRIP, blockEnd - start);
      float* sum = to.combined ? to.combined + start : own;
      for (size_t task = 0; task < tasks; task += 3)
        addScaled(sum, vectors + task, factors + task, std::min<size_t>(3, tasks - task), task == 0, start, count);
      if (to.theta) addMasked(to.theta + start, to.origin + start, to.mask ? to.mask + start : nullptr, sum, count);
    }
  });
}

// The products of T vectors with the same masked gradient, which stays in registers while all of them pass.
template <int T, typename Element>
INLINE void dotTogether(double* __restrict sums, const float* __restrict gradient, const float* __restrict mask,
                        const Element* const* vectors, size_t start, size_t end) {
  constexpr size_t FEW = 32;
  size_t i = start;
  while (i + FEW <= end) {
    const size_t stop = i + std::min((end - i) / FEW, RUN / FEW) * FEW;
    float lanes[T][FEW] = {};
    for (; i < stop; i += FEW) {
      float masked[FEW];
#pragma omp simd
      for (size_t lane = 0; lane < FEW; lane++) masked[lane] = mask ? gradient[i + lane] * mask[i + lane] : gradient[i + lane];
      for (int t = 0; t < T; t++) {
#pragma omp simd
        for (size_t lane = 0; lane < FEW; lane++) lanes[t][lane] += masked[lane] * (float)vectors[t][i + lane];
      }
    }
    for (int t = 0; t < T; t++) {
      double part = 0;
#pragma omp simd reduction(+ : part)
      for (size_t lane = 0; lane < FEW; lane++) part += lanes[t][lane];
      sums[t] += part;
    }
  }
  for (; i < end; i++)
    for (int t = 0; t < T; t++) sums[t] += (double)(mask ? gradient[i] * mask[i] : gradient[i]) * (float)vectors[t][i];
}

template <typename Element>
INLINE void dotAll(double* sums, const float* gradient, const float* mask, const Element* const* vectors, size_t tasks, size_t start,
                   size_t end) {
  for (; tasks >= 6; tasks -= 6, sums += 6, vectors += 6) dotTogether<6>(sums, gradient, mask, vectors, start, end);
  for (; tasks >= 2; tasks -= 2, sums += 2, vectors += 2) dotTogether<2>(sums, gradient, mask, vectors, start, end);
  if (tasks > 0) dotTogether<1>(sums, gradient, mask, vectors, start, end);
}

FOR_EACH_PROCESSOR void dotGroup(double* sums, const float* gradient, const float* mask, const float* const* vectors, size_t tasks,
                                 size_t start, size_t end) {
  dotAll(sums, gradient, mask, vectors, tasks, start, end);
}

FOR_EACH_PROCESSOR void dotGroup(double* sums, const float* gradient, const float* mask, const Bfloat16* const* vectors, size_t tasks,
                                 size_t start, size_t end) {
  dotAll(sums, gradient, mask, vectors, tasks, start, end);
}

// sums[t] += <gradient, mask * vector_t>.
template <typename Element>
void dotVectors(double* sums, const float* gradient, const float* mask, const Element* const* vectors, size_t tasks, size_t length) {
  const size_t blocks = (length + BLOCK - 1) / BLOCK;
  std::vector<double> parts(blocks * tasks);
  forEachBlock(length, [&](size_t block, size_t start, size_t end) {
    dotGroup(parts.data() + block * tasks, gradient, mask, vectors, tasks, start, end);
  });
  for (size_t block = 0; block < blocks; block++)
    for (size_t task = 0; task < tasks; task++) sums[task] += parts[block * tasks + task];
}

}  // namespace damlab

#endif  // DAMLAB_TASK_VECTORS_H_
