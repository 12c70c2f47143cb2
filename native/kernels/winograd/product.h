// The matrix products in the middle of a Winograd convolution: register tiles of some rows by two
// vectors, so that enough accumulators hide the latency of the multiply-adds. There are sixteen
// registers with AVX2, thirty-two with AVX-512.
#pragma once
#include "kernels/winograd/vector.h"

namespace lrscope::winograd::LRSCOPE_WIDTH {

constexpr int kColumns = 2 * kLanes;
constexpr int kMostRows = kLanes == 16 ? 12 : 6;

// out (R, W vectors) = or += sum over k < depth of a[k] (R) by b[k] (W vectors). Element (k, r) of
// a lies at a + k * aDepth + r * aRow, row k of b at b + k * bDepth.
template <int R, int W, bool accumulate>
void multiplyTile(const float* a, int64_t aDepth, int64_t aRow, const float* b, int64_t bDepth,
                  int64_t depth, float* out, int64_t outRow) {
  Vector sum[R][W];
#pragma GCC unroll 12
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
    for (int w = 0; w < W; ++w)
      sum[r][w] = accumulate ? load(out + r * outRow + kLanes * w) : zeros();
  for (int64_t k = 0; k < depth; ++k) {
    Vector row[W];
#pragma GCC unroll 2
    for (int w = 0; w < W; ++w) row[w] = load(b + k * bDepth + kLanes * w);
#pragma GCC unroll 12
    for (int r = 0; r < R; ++r) {
      const Vector value = spread(a[k * aDepth + r * aRow]);
#pragma GCC unroll 2
      for (int w = 0; w < W; ++w) sum[r][w] = multiplyAdd(value, row[w], sum[r][w]);
    }
  }
#pragma GCC unroll 12
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
    for (int w = 0; w < W; ++w) store(out + r * outRow + kLanes * w, sum[r][w]);
}

// The same for 1 to kMostRows rows, and one vector of columns or, where it is `wide`, two.
template <bool accumulate>
void multiply(int rows, bool wide, const float* a, int64_t aDepth, int64_t aRow, const float* b,
              int64_t bDepth, int64_t depth, float* out, int64_t outRow) {
  using Tile =
      void (*)(const float*, int64_t, int64_t, const float*, int64_t, int64_t, float*, int64_t);
#define LRSCOPE_ROWS(R) \
  { multiplyTile<R, 1, accumulate>, multiplyTile<R, 2, accumulate> }
  static constexpr Tile kTiles[kMostRows][2] = {
      LRSCOPE_ROWS(1),  LRSCOPE_ROWS(2),  LRSCOPE_ROWS(3),
      LRSCOPE_ROWS(4),  LRSCOPE_ROWS(5),  LRSCOPE_ROWS(6),
#ifdef LRSCOPE_AVX512
      LRSCOPE_ROWS(7),  LRSCOPE_ROWS(8),  LRSCOPE_ROWS(9),
      LRSCOPE_ROWS(10), LRSCOPE_ROWS(11), LRSCOPE_ROWS(12),
#endif
  };
#undef LRSCOPE_ROWS
  kTiles[rows - 1][wide](a, aDepth, aRow, b, bDepth, depth, out, outRow);
}

}  // namespace lrscope::winograd::LRSCOPE_WIDTH
