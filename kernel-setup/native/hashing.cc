// SHA-256 (FIPS 180-4) of two streams at a time. A round of the processor's own instructions waits for the one before it; the rounds of a second
// stream fit in between, so that two take hardly longer than one. Depends on nothing but Node-API.
#include <node_api.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

namespace {

constexpr size_t kBlock = 64, kWords = 8;

alignas(16) constexpr uint32_t kRounds[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

bool processorHashes() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b >> 29 & 1);
}

// Adds blocks to the states of N streams; stream n has its state at states + 8 n and its bytes at data + n * stride.
template <int N>
__attribute__((target("sha,sse4.1,ssse3"))) void compress(uint32_t* states, const uint8_t* data, size_t stride, size_t blocks) {
  const __m128i bigEndian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  // The instructions want the eight words as (a, b, e, f) and (c, d, g, h), the highest first.
  __m128i abef[N], cdgh[N];
  for (int n = 0; n < N; n++) {
    const __m128i* state = reinterpret_cast<const __m128i*>(states + kWords * n);
    const __m128i badc = _mm_shuffle_epi32(_mm_loadu_si128(state), 0xb1);
    const __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128(state + 1), 0x1b);
    abef[n] = _mm_alignr_epi8(badc, efgh, 8);
    cdgh[n] = _mm_blend_epi16(efgh, badc, 0xf0);
  }
  for (size_t block = 0; block < blocks; block++) {
    __m128i words[N][4], abefBefore[N], cdghBefore[N];
    for (int n = 0; n < N; n++) {
      const __m128i* from = reinterpret_cast<const __m128i*>(data + n * stride + kBlock * block);
      for (int i = 0; i < 4; i++) words[n][i] = _mm_shuffle_epi8(_mm_loadu_si128(from + i), bigEndian);
      abefBefore[n] = abef[n], cdghBefore[n] = cdgh[n];
    }
#pragma GCC unroll 16
    for (int four = 0; four < 16; four++) {
      const __m128i constants = _mm_load_si128(reinterpret_cast<const __m128i*>(kRounds) + four);
      for (int n = 0; n < N; n++) {
        __m128i(&w)[4] = words[n];
        const __m128i sum = _mm_add_epi32(w[four & 3], constants);
        cdgh[n] = _mm_sha256rnds2_epu32(cdgh[n], abef[n], sum);
        abef[n] = _mm_sha256rnds2_epu32(abef[n], cdgh[n], _mm_shuffle_epi32(sum, 0x0e));
        if (four >= 12) continue;
        const __m128i last = w[(four + 3) & 3];
        const __m128i begun = _mm_sha256msg1_epu32(w[four & 3], w[(four + 1) & 3]);
        w[four & 3] = _mm_sha256msg2_epu32(_mm_add_epi32(begun, _mm_alignr_epi8(last, w[(four + 2) & 3], 4)), last);
      }
    }
    for (int n = 0; n < N; n++) {
      abef[n] = _mm_add_epi32(abef[n], abefBefore[n]);
      cdgh[n] = _mm_add_epi32(cdgh[n], cdghBefore[n]);
    }
  }
  for (int n = 0; n < N; n++) {
    __m128i* state = reinterpret_cast<__m128i*>(states + kWords * n);
    const __m128i feba = _mm_shuffle_epi32(abef[n], 0x1b), dchg = _mm_shuffle_epi32(cdgh[n], 0xb1);
    _mm_storeu_si128(state, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128(state + 1, _mm_alignr_epi8(dchg, feba, 8));
  }
}

// compress(states: Uint32Array of 8 or 16, data: Uint8Array, blocks): as many blocks of each stream, whose bytes begin at equal parts of the data.
napi_value compressStreams(napi_env env, napi_callback_info info) {
  napi_value args[3];
  size_t count = 3, words = 0, bytes = 0;
  void *states = nullptr, *data = nullptr;
  napi_typedarray_type type;
  uint32_t blocks = 0;
  if (napi_get_cb_info(env, info, &count, args, nullptr, nullptr) != napi_ok || count != 3 ||
      napi_get_typedarray_info(env, args[0], &type, &words, &states, nullptr, nullptr) != napi_ok || type != napi_uint32_array ||
      napi_get_typedarray_info(env, args[1], &type, &bytes, &data, nullptr, nullptr) != napi_ok || type != napi_uint8_array ||
      napi_get_value_uint32(env, args[2], &blocks) != napi_ok || (words != kWords && words != 2 * kWords) ||
      blocks > bytes / (words / kWords) / kBlock) {
    napi_throw_type_error(env, nullptr, "expected the states of one or two streams, their bytes, and as many blocks as these have");
    return nullptr;
  }
  const bool two = words == 2 * kWords;
  (two ? compress<2> : compress<1>)(static_cast<uint32_t*>(states), static_cast<const uint8_t*>(data), bytes / 2, blocks);
  return nullptr;
}

}  // namespace
#endif

// Exports nothing where the processor has no instructions for it.
static napi_value init(napi_env env, napi_value exports) {
#if defined(__x86_64__)
  if (!processorHashes()) return exports;
  const napi_property_descriptor property = {"compress", nullptr, compressStreams, nullptr, nullptr, nullptr, napi_default, nullptr};
  napi_define_properties(env, exports, 1, &property);
#endif
  return exports;
}

NAPI_MODULE(damlab_hashing, init)
