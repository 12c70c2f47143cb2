// The vectors of the Winograd loops: eight floats with AVX2, or sixteen in the file that is
// compiled for AVX-512 and defines LRSCOPE_AVX512. Each has a namespace of its own. That file is
// linked last: of an inline function that others have too, the linker keeps the first, which every
// processor of the addon can run.
#pragma once
#include <immintrin.h>
#include <omp.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "kernels/simd/lanes.h"
#include "kernels/winograd/winograd.h"

namespace lrscope::winograd::LRSCOPE_WIDTH {

#ifdef LRSCOPE_AVX512

constexpr int kLanes = 16;
using Vector = __m512;
using Keep = __mmask16;

inline Vector load(const float* from) { return _mm512_loadu_ps(from); }
inline void store(float* to, Vector v) { _mm512_storeu_ps(to, v); }
inline void stream(float* to, Vector v) { _mm512_stream_ps(to, v); }
inline Vector spread(float value) { return _mm512_set1_ps(value); }
inline Vector zeros() { return _mm512_setzero_ps(); }
// a * x + y and y - a * x, rounded once
inline Vector multiplyAdd(Vector a, Vector x, Vector y) { return _mm512_fmadd_ps(a, x, y); }
inline Vector multiplySubtract(Vector a, Vector x, Vector y) { return _mm512_fnmadd_ps(a, x, y); }
inline Keep lanesBelow(int count) { return static_cast<Keep>((1u << count) - 1); }
inline Vector keep(Keep lanes, Vector v) { return _mm512_maskz_mov_ps(lanes, v); }
inline Keep both(Keep a, Keep b) { return a & b; }
// The others are zero, and their memory is not touched.
inline Vector load(Keep lanes, const float* from) { return _mm512_maskz_loadu_ps(lanes, from); }

// bfloat16 in memory, as in lanes.h.
inline Vector widened(__m256i halves) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
}
inline Vector load(const Bf16* from) {
  return widened(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
}
inline Vector load(Keep lanes, const Bf16* from) {
  return widened(_mm256_maskz_loadu_epi16(lanes, from));
}
inline __m256i rounded(Vector v) {
  const __m512i words = _mm512_castps_si512(v), high = _mm512_srli_epi32(words, 16);
  const __m512i odd = _mm512_and_si512(high, _mm512_set1_epi32(1));
  const __m512i half = _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff));
  const __m512i nearest = _mm512_srli_epi32(_mm512_add_epi32(words, half), 16);
  const __mmask16 nan = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
  return _mm512_cvtepi32_epi16(_mm512_mask_or_epi32(nearest, nan, high, _mm512_set1_epi32(0x40)));
}
inline void store(Bf16* to, Vector v) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), rounded(v));
}
inline void stream(Bf16* to, Vector v) {
  _mm256_stream_si256(reinterpret_cast<__m256i*>(to), rounded(v));
}

#else

constexpr int kLanes = 8;
using Vector = __m256;
using Keep = __m256;

inline Vector load(const float* from) { return _mm256_loadu_ps(from); }
inline void store(float* to, Vector v) { _mm256_storeu_ps(to, v); }
inline void stream(float* to, Vector v) { _mm256_stream_ps(to, v); }
inline Vector spread(float value) { return _mm256_set1_ps(value); }
inline Vector zeros() { return _mm256_setzero_ps(); }
// a * x + y and y - a * x, rounded once
inline Vector multiplyAdd(Vector a, Vector x, Vector y) { return _mm256_fmadd_ps(a, x, y); }
inline Vector multiplySubtract(Vector a, Vector x, Vector y) { return _mm256_fnmadd_ps(a, x, y); }
inline Keep lanesBelow(int count) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_castsi256_ps(_mm256_cmpgt_epi32(_mm256_set1_epi32(count), lane));
}
inline Vector keep(Keep lanes, Vector v) { return _mm256_and_ps(v, lanes); }
inline Keep both(Keep a, Keep b) { return _mm256_and_ps(a, b); }
// The others are zero, and their memory is not touched.
inline Vector load(Keep lanes, const float* from) {
  return _mm256_maskload_ps(from, _mm256_castps_si256(lanes));
}

inline Vector load(const Bf16* from) { return (Vector)Whole{}.load(from); }
// All lanes, or none.
inline Vector load(Keep lanes, const Bf16* from) {
  return _mm256_movemask_ps(lanes) ? load(from) : zeros();
}
inline void store(Bf16* to, Vector v) { Whole{}.store(to, (Vec)v); }
inline void stream(Bf16* to, Vector v) { streamTo(to, (Vec)v); }

#endif

// A NaN is not below zero: it passes.
inline Vector relu(Vector v) { return v < zeros() ? zeros() : v; }

}  // namespace lrscope::winograd::LRSCOPE_WIDTH
