// The matrix products in the middle of a Winograd convolution: register tiles of up to six rows by
// sixteen columns, so that twelve accumulators hide the latency of the multiply-adds.
#pragma once
#include <immintrin.h>

#include <cstdint>

namespace lrscope::winograd {

constexpr int kRows = 6, kColumns = 16;

// out (R, 8 W) = or += sum over k < depth of a[k] (R) by b[k] (8 W). Element (k, r) of a lies at
// a + k * aDepth + r * aRow, row k of b at b + k * bDepth.
template <int R, int W, bool accumulate>
inline void multiplyTile(const float* a, int64_t aDepth, int64_t aRow, const float* b,
                         int64_t bDepth, int64_t depth, float* out, int64_t outRow) {
  __m256 sum[R][W];
#pragma GCC unroll 6
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
    for (int w = 0; w < W; ++w)
      sum[r][w] = accumulate ? _mm256_loadu_ps(out + r * outRow + 8 * w) : _mm256_setzero_ps();
  for (int64_t k = 0; k < depth; ++k) {
    __m256 row[W];
#pragma GCC unroll 2
    for (int w = 0; w < W; ++w) row[w] = _mm256_loadu_ps(b + k * bDepth + 8 * w);
#pragma GCC unroll 6
    for (int r = 0; r < R; ++r) {
      const __m256 value = _mm256_broadcast_ss(a + k * aDepth + r * aRow);
#pragma GCC unroll 2
      for (int w = 0; w < W; ++w) sum[r][w] = _mm256_fmadd_ps(value, row[w], sum[r][w]);
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
    for (int w = 0; w < W; ++w) _mm256_storeu_ps(out + r * outRow + 8 * w, sum[r][w]);
}

// The same for 1 to 6 rows, and 8 or 16 columns.
template <bool accumulate>
inline void multiply(int rows, bool wide, const float* a, int64_t aDepth, int64_t aRow,
                     const float* b, int64_t bDepth, int64_t depth, float* out, int64_t outRow) {
  const auto run = [&](auto tile) { tile(a, aDepth, aRow, b, bDepth, depth, out, outRow); };
  switch (wide ? rows : -rows) {
#define LRSCOPE_ROWS(R)                         \
  case R:                                       \
    return run(multiplyTile<R, 2, accumulate>); \
  case -R:                                      \
    return run(multiplyTile<R, 1, accumulate>);
    LRSCOPE_ROWS(1)
    LRSCOPE_ROWS(2)
    LRSCOPE_ROWS(3)
    LRSCOPE_ROWS(4)
    LRSCOPE_ROWS(5)
    LRSCOPE_ROWS(6)
#undef LRSCOPE_ROWS
    default:
      return;
  }
}

}  // namespace lrscope::winograd
