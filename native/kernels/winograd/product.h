// The matrix products in the middle of a convolution: register tiles of some rows by one or two
// vectors, so that enough accumulators hide the latency of the multiply-adds. There are sixteen
// registers with AVX2, thirty-two with AVX-512.
#pragma once
#include <utility>

#include "kernels/winograd/vector.h"

namespace lrscope::winograd::LRSCOPE_WIDTH {

constexpr int kColumns = 2 * kLanes;
constexpr int kMostRows = kLanes == 16 ? 12 : 6;

// begin(r, w) + the sum over k < depth of a(k, r) by b(k, w), given to end(r, w, sum): for R rows
// and W vectors of columns.
template <int R, int W, class Begin, class A, class B, class End>
inline __attribute__((always_inline)) void sumTile(int64_t depth, Begin begin, A a, B b, End end) {
  Vector sum[R][W];
#pragma GCC unroll 12
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
    for (int w = 0; w < W; ++w) sum[r][w] = begin(r, w);
  for (int64_t k = 0; k < depth; ++k) {
    Vector row[W];
#pragma GCC unroll 2
    for (int w = 0; w < W; ++w) row[w] = b(k, w);
#pragma GCC unroll 12
    for (int r = 0; r < R; ++r) {
      const Vector value = spread(a(k, r));
#pragma GCC unroll 2
      for (int w = 0; w < W; ++w) sum[r][w] = multiplyAdd(value, row[w], sum[r][w]);
    }
  }
#pragma GCC unroll 12
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
    for (int w = 0; w < W; ++w) end(r, w, sum[r][w]);
}

// Calls Tile<R, W>::run for 1 to kMostRows rows, and one vector of columns or, where it is `wide`,
// two.
template <template <int, int> class Tile, int... R, class... Arguments>
void runTile(std::integer_sequence<int, R...>, int rows, bool wide, Arguments... arguments) {
  static constexpr decltype(&Tile<1, 1>::run) kTiles[][2] = {
      {Tile<R + 1, 1>::run, Tile<R + 1, 2>::run}...};
  kTiles[rows - 1][wide](arguments...);
}
template <template <int, int> class Tile, class... Arguments>
void runTile(int rows, bool wide, Arguments... arguments) {
  runTile<Tile>(std::make_integer_sequence<int, kMostRows>(), rows, wide, arguments...);
}

// out (R, W vectors) = or += sum over k < depth of a[k] (R) by b[k] (W vectors). Element (k, r) of
// a lies at a + k * aDepth + r * aRow, row k of b at b + k * bDepth.
template <bool accumulate>
struct MultiplyTile {
  template <int R, int W>
  struct Of {
    static void run(const float* a, int64_t aDepth, int64_t aRow, const float* b, int64_t bDepth,
                    int64_t depth, float* out, int64_t outRow) {
      sumTile<R, W>(
          depth,
          [=](int r, int w) { return accumulate ? load(out + r * outRow + kLanes * w) : zeros(); },
          [=](int64_t k, int r) { return a[k * aDepth + r * aRow]; },
          [=](int64_t k, int w) { return load(b + k * bDepth + kLanes * w); },
          [=](int r, int w, Vector sum) { store(out + r * outRow + kLanes * w, sum); });
    }
  };
};

template <bool accumulate>
void multiply(int rows, bool wide, const float* a, int64_t aDepth, int64_t aRow, const float* b,
              int64_t bDepth, int64_t depth, float* out, int64_t outRow) {
  runTile<MultiplyTile<accumulate>::template Of>(rows, wide, a, aDepth, aRow, b, bDepth, depth, out,
                                                 outRow);
}

}  // namespace lrscope::winograd::LRSCOPE_WIDTH
