// The functions of vectors.h and taskVectors.h for JavaScript, on its typed arrays. Callers have checked lengths; null stands for no array.
#ifndef DAMLAB_VECTOR_CALLS_H_
#define DAMLAB_VECTOR_CALLS_H_

#include <node_api.h>

#include "taskVectors.h"

namespace damlab {

struct VectorCall {
  napi_env env;
  size_t count = 8;
  napi_value args[8];

  VectorCall(napi_env env, napi_callback_info info) : env(env) { napi_get_cb_info(env, info, &count, args, nullptr, nullptr); }
  template <typename Element>
  Element* array(napi_value value, size_t* length = nullptr) const {
    void* data = nullptr;
    size_t elements = 0;
    if (napi_get_typedarray_info(env, value, nullptr, &elements, &data, nullptr, nullptr) != napi_ok) data = nullptr;
    if (length) *length = elements;
    return static_cast<Element*>(data);
  }
  float* vector(size_t index, size_t* length = nullptr) const { return array<float>(args[index], length); }
  double* doubles(size_t index) const { return array<double>(args[index]); }
  // Vectors of one type.
  template <typename Element>
  std::vector<const Element*> vectors(size_t index, size_t* length) const {
    uint32_t size = 0;
    napi_get_array_length(env, args[index], &size);
    std::vector<const Element*> found(size);
    for (uint32_t i = 0; i < size; i++) {
      napi_value each;
      napi_get_element(env, args[index], i, &each);
      found[i] = array<Element>(each, length);
    }
    return found;
  }
  // Whether the vectors are Uint16Array: the bits of bfloat16.
  bool areHalves(size_t index) const {
    napi_value first;
    napi_typedarray_type type = napi_float32_array;
    napi_get_element(env, args[index], 0, &first);
    napi_get_typedarray_info(env, first, &type, nullptr, nullptr, nullptr, nullptr);
    return type == napi_uint16_array;
  }
  double number(size_t index) const {
    double value = 0;
    napi_get_value_double(env, args[index], &value);
    return value;
  }
  napi_value give(double value) const {
    napi_value result;
    napi_create_double(env, value, &result);
    return result;
  }
};

template <typename Element>
void mergeFrom(const VectorCall& c) {
  size_t length = 0;
  const auto vectors = c.vectors<Element>(4, &length);
  mergeVectors(MergeTargets{c.vector(0), c.vector(1), c.vector(2), c.vector(3)}, vectors.data(), c.doubles(5), vectors.size(), length);
}

// mergeVectors(combined | null, theta | null, origin | null, mask | null, vectors, factors)
static napi_value mergeVectorsCall(napi_env env, napi_callback_info info) {
  const VectorCall c(env, info);
  c.areHalves(4) ? mergeFrom<Bfloat16>(c) : mergeFrom<float>(c);
  return nullptr;
}

template <typename Element>
void dotFrom(const VectorCall& c) {
  size_t length = 0;
  const auto vectors = c.vectors<Element>(2, &length);
  dotVectors(c.doubles(3), c.vector(0), c.vector(1), vectors.data(), vectors.size(), length);
}

// dotVectors(gradient, mask | null, vectors, sums)
static napi_value dotVectorsCall(napi_env env, napi_callback_info info) {
  const VectorCall c(env, info);
  c.areHalves(2) ? dotFrom<Bfloat16>(c) : dotFrom<float>(c);
  return nullptr;
}

// addMasked(theta, origin, mask | null, combined)
static napi_value addMaskedCall(napi_env env, napi_callback_info info) {
  const VectorCall c(env, info);
  size_t length = 0;
  float* theta = c.vector(0, &length);
  const float *origin = c.vector(1), *mask = c.vector(2), *sum = c.vector(3);
  forEachBlock(length, [=](size_t, size_t start, size_t end) {
    addMasked(theta + start, origin + start, mask ? mask + start : nullptr, sum + start, end - start);
  });
  return nullptr;
}

// openGates(gates, logits, noise | null, slope): their sum
static napi_value openGatesCall(napi_env env, napi_callback_info info) {
  const VectorCall c(env, info);
  size_t length = 0;
  float* gates = c.vector(0, &length);
  const float *logits = c.vector(1), *noise = c.vector(2);
  const float slope = static_cast<float>(c.number(3));
  return c.give(sumBlocks(length, [=](size_t start, size_t size) {
    return openBlock(gates + start, logits + start, noise ? noise + start : nullptr, slope, size);
  }));
}

// sumProbabilities(logits): the sum of sigmoid(logits)
static napi_value sumProbabilitiesCall(napi_env env, napi_callback_info info) {
  const VectorCall c(env, info);
  size_t length = 0;
  const float* logits = c.vector(0, &length);
  return c.give(sumBlocks(length, [=](size_t start, size_t size) { return densityBlock(logits + start, size); }));
}

// sumVector(values)
static napi_value sumVectorCall(napi_env env, napi_callback_info info) {
  const VectorCall c(env, info);
  size_t length = 0;
  const float* values = c.vector(0, &length);
  return c.give(sumBlocks(length, [=](size_t start, size_t size) { return sumBlock(values + start, size); }));
}

// dotVector(a, b)
static napi_value dotVectorCall(napi_env env, napi_callback_info info) {
  const VectorCall c(env, info);
  size_t length = 0;
  const float *a = c.vector(0, &length), *b = c.vector(1);
  return c.give(sumBlocks(length, [=](size_t start, size_t size) { return dotBlock(a + start, b + start, size); }));
}

// scaleVector(target, values, divisor, fresh)
static napi_value scaleVectorCall(napi_env env, napi_callback_info info) {
  const VectorCall c(env, info);
  size_t length = 0;
  float* target = c.vector(0, &length);
  const float *values = c.vector(1), divisor = static_cast<float>(c.number(2));
  const bool fresh = c.number(3) != 0;
  forEachBlock(length, [=](size_t, size_t start, size_t end) { scaleBlock(target + start, values + start, divisor, fresh, end - start); });
  return nullptr;
}

// multiplyVectors(target, a, b); the target may be one of them
static napi_value multiplyVectorsCall(napi_env env, napi_callback_info info) {
  const VectorCall c(env, info);
  size_t length = 0;
  float* target = c.vector(0, &length);
  const float *a = c.vector(1), *b = c.vector(2);
  forEachBlock(length, [=](size_t, size_t start, size_t end) { multiplyBlock(target + start, a + start, b + start, end - start); });
  return nullptr;
}

// slopeVector(slopes, gates, mean, shared, temperature)
static napi_value slopeVectorCall(napi_env env, napi_callback_info info) {
  const VectorCall c(env, info);
  size_t length = 0;
  float* slopes = c.vector(0, &length);
  const float* gates = c.vector(1);
  const double mean = c.number(2), shared = c.number(3), temperature = c.number(4);
  forEachBlock(length, [=](size_t, size_t start, size_t end) {
    slopeBlock(slopes + start, gates + start, mean, shared, temperature, end - start);
  });
  return nullptr;
}

// addVector(target, factor, values)
static napi_value addVectorCall(napi_env env, napi_callback_info info) {
  const VectorCall c(env, info);
  size_t length = 0;
  float* target = c.vector(0, &length);
  const double factor = c.number(1);
  const float* values = c.vector(2);
  forEachBlock(length, [=](size_t, size_t start, size_t end) { addBlock(target + start, factor, values + start, end - start); });
  return nullptr;
}

// stepAdam(parameters, gradient, first, second, [stepSize, keep, beta1, beta2, correction2, epsilon])
static napi_value stepAdamCall(napi_env env, napi_callback_info info) {
  const VectorCall c(env, info);
  size_t length = 0;
  float* parameters = c.vector(0, &length);
  const float* gradient = c.vector(1);
  float *first = c.vector(2), *second = c.vector(3);
  const double* s = c.doubles(4);
  const AdamSettings settings = {s[0], s[1], s[2], s[3], s[4], s[5]};
  forEachBlock(length, [=](size_t, size_t start, size_t end) {
    adamBlock(parameters + start, gradient + start, first + start, second + start, settings, end - start);
  });
  return nullptr;
}

// An object of them all.
static napi_value vectorFunctions(napi_env env) {
  napi_value result;
  napi_create_object(env, &result);
  const struct {
    const char* name;
    napi_callback call;
  } functions[] = {
      {"mergeVectors", mergeVectorsCall},
      {"dotVectors", dotVectorsCall},
      {"addMasked", addMaskedCall},
      {"openGates", openGatesCall},
      {"sumProbabilities", sumProbabilitiesCall},
      {"sumVector", sumVectorCall},
      {"dotVector", dotVectorCall},
      {"scaleVector", scaleVectorCall},
      {"multiplyVectors", multiplyVectorsCall},
      {"slopeVector", slopeVectorCall},
      {"addVector", addVectorCall},
      {"stepAdam", stepAdamCall},
  };
  for (const auto& function : functions) {
    napi_value value;
    napi_create_function(env, function.name, NAPI_AUTO_LENGTH, function.call, nullptr, &value);
    napi_set_named_property(env, result, function.name, value);
  }
  return result;
}

}  // namespace damlab

#endif  // DAMLAB_VECTOR_CALLS_H_
