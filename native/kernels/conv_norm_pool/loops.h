// The loops of a first block, for the vectors of winograd/vector.h.
#pragma once
#include <limits>

#include "kernels/conv_norm_pool/moments.h"
#include "kernels/winograd/product.h"

namespace lrscope::conv_norm_pool::LRSCOPE_WIDTH {

#ifdef LRSCOPE_AVX512

// Lanes whose byte is `position`.
inline Keep lanesAt(const uint8_t* positions, int32_t position) {
  return _mm_cmpeq_epi8_mask(_mm_loadu_si128(reinterpret_cast<const __m128i*>(positions)),
                             _mm_set1_epi8(static_cast<char>(position)));
}

struct Best {
  Vector value = spread(-std::numeric_limits<float>::infinity());
  __m512i index = _mm512_setzero_si512();

  // As pool_window.h has it: larger, or a NaN; and the first NaN stays.
  void offer(Vector candidate, int32_t position) {
    const Keep wins = _mm512_cmp_ps_mask(candidate, value, _CMP_NLE_UQ) &
                      _mm512_cmp_ps_mask(value, value, _CMP_ORD_Q);
    value = _mm512_mask_mov_ps(value, wins, candidate);
    index = _mm512_mask_mov_epi32(index, wins, _mm512_set1_epi32(position));
  }
  void storePositions(uint8_t* to, bool relu) const {
    const Keep passed = _mm512_cmp_ps_mask(value, zeros(), _CMP_GT_OQ);
    const __m512i blocked = _mm512_mask_mov_epi32(_mm512_set1_epi32(kBlocked), passed, index);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8(relu ? blocked : index));
  }
};

#else

inline Keep lanesAt(const uint8_t* positions, int32_t position) {
  return (Keep)(Whole{}.loadBytes(positions) == Mask{} + position);
}

struct Best {
  Vec value = Vec{} - std::numeric_limits<float>::infinity();
  Mask index{};

  void offer(Vector candidate, int32_t position) {
    const Mask wins = ~((Vec)candidate <= value) & (value == value);
    value = wins ? (Vec)candidate : value;
    index = wins ? Mask{} + position : index;
  }
  void storePositions(uint8_t* to, bool relu) const {
    Whole{}.storeBytes(to, relu ? (value > 0.0f ? index : Mask{} + kBlocked) : index);
  }
};

#endif

// W vectors of outputs of J pooled values side by side, whose row begins at `first` of each vector.
template <class T>
struct PoolTile {
  const Shapes& shapes;
  const Normalisation& to;
  const Blocks& blocks;
  const std::vector<int64_t>& taps;
  int64_t each;  // of a row of x
  bool past;     // results are written past the caches

  template <int J, int W>
  inline __attribute__((always_inline)) void run(const float* rows, const int64_t* first,
                                                 int64_t place, int64_t block) const {
    Vector sum[4 * J][W];
#pragma GCC unroll 16
    for (int k = 0; k < 4 * J; ++k)
#pragma GCC unroll 2
      for (int w = 0; w < W; ++w) sum[k][w] = zeros();
    const float* weights = to.weights + block * kLanes;
    const float* const lines[2] = {rows, rows + each};
    for (const int64_t offset : taps) {
      Vector factor[W];
#pragma GCC unroll 2
      for (int w = 0; w < W; ++w) factor[w] = load(weights + w * kLanes);
      weights += blocks.channels;
#pragma GCC unroll 16
      for (int k = 0; k < 4 * J; ++k) {
        const Vector value = spread(lines[k % 4 / 2][offset + k / 4 * 2 + k % 2]);
#pragma GCC unroll 2
        for (int w = 0; w < W; ++w) sum[k][w] = multiplyAdd(value, factor[w], sum[k][w]);
      }
    }
    for (int w = 0; w < W; ++w) {
      const int64_t channel = (block + w) * kLanes;
      const Vector mean = load(to.mean + channel), scale = load(to.scale + channel),
                   beta = load(to.beta + channel);
      const int64_t here = first[w] + place * blocks.pixelStride;
      for (int j = 0; j < J; ++j) {
        Best best;
        for (int k = 0; k < 4; ++k)
          best.offer(multiplyAdd(sum[4 * j + k][w] - mean, scale, beta), k);
        T* at = static_cast<T*>(to.y) + here + j * blocks.pixelStride;
        // A NaN is not below 0: it passes, but its gradient does not.
        const auto value = (Vector)best.value;
        const Vector passed = to.relu ? relu(value) : value;
        if (past)
          stream(at, passed);
        else
          store(at, passed);
        if (to.positions)
          best.storePositions(to.positions + here + j * blocks.pixelStride, to.relu);
      }
    }
  }
};

template <class T>
void normaliseOf(const Loop& loop, const Normalisation& to) {
  const Shapes& s = loop.shapes;
  const Rows rows(s, 2);
  const std::vector<int64_t> taps = rows.taps(s);
  const Blocks blocks(s.y);
  const PoolTile<T> tile{s, to, blocks, taps, rows.each, streams<T>(channelView(s.y))};
  constexpr int kSideBySide = kLanes == 16 ? 3 : 1;
  forParts(loop, 0, [&](int64_t image, int64_t from, int64_t end, float* own, double*) {
    const T* pixels =
        static_cast<const T*>(loop.x) + image * rows.channels * s.x.dim(2) * s.x.dim(3);
    for (int64_t i = from; i < end; ++i) {
      rows.copy(s, pixels, 2 * i, own);
      const int64_t width = s.pooledWidth();
      for (int64_t block = 0; block < blocks.count; block += 2) {
        const bool wide = block + 1 < blocks.count;
        int64_t first[2] = {};
        for (int w = 0; w < 1 + wide; ++w)
          first[w] = blocks.offset(image, block + w) + i * width * blocks.pixelStride;
        int64_t j = 0;
        if (wide)
          for (; j + kSideBySide <= width; j += kSideBySide)
            tile.template run<kSideBySide, 2>(own + 2 * j, first, j, block);
        for (; j < width; ++j)
          if (wide)
            tile.template run<1, 2>(own + 2 * j, first, j, block);
          else
            tile.template run<1, 1>(own + 2 * j, first, j, block);
      }
    }
  });
}

// A row of pooled places, W vectors of outputs.
template <class T>
struct GradientRow {
  const T* dy[2];
  const uint8_t* positions[2];
  int64_t stride, count;  // from pixel to pixel
  int64_t each;           // of a row of x
};

// sums (R taps, W vectors) += d by the value of the tap at d's place, over a row.
template <class T>
struct SumTapsOf {
  template <int R, int W>
  struct Tile {
    static void run(const GradientRow<T>* row, const float* const* taps, double* sums,
                    int64_t outputs) {
      Vector sum[R][W];
#pragma GCC unroll 12
      for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
        for (int w = 0; w < W; ++w) sum[r][w] = zeros();
      for (int64_t j = 0; j < row->count; ++j) {
        Vector d[W];
#pragma GCC unroll 2
        for (int w = 0; w < W; ++w) d[w] = load(row->dy[w] + j * row->stride);
#pragma GCC unroll 4
        for (int k = 0; k < 4; ++k) {
          Vector here[W];
#pragma GCC unroll 2
          for (int w = 0; w < W; ++w)
            here[w] = keep(lanesAt(row->positions[w] + j * row->stride, k), d[w]);
          const int64_t at = k / 2 * row->each + 2 * j + k % 2;
#pragma GCC unroll 12
          for (int r = 0; r < R; ++r) {
            const Vector value = spread(taps[r][at]);
#pragma GCC unroll 2
            for (int w = 0; w < W; ++w) sum[r][w] = multiplyAdd(value, here[w], sum[r][w]);
          }
        }
      }
      for (int r = 0; r < R; ++r)
        for (int w = 0; w < W; ++w) {
          alignas(64) float lanes[kLanes];
          store(lanes, sum[r][w]);
          double* to = sums + r * outputs + w * kLanes;
          for (int l = 0; l < kLanes; ++l) to[l] += lanes[l];
        }
    }
  };
};

// Each part's sums of d P, (tap, output).
template <class T>
void sumGradientsOf(const Loop& loop, const void* gradients, const uint8_t* positions) {
  const Shapes& s = loop.shapes;
  const Rows rows(s, 2);
  const std::vector<int64_t> taps = rows.taps(s);
  const Blocks blocks(s.y);
  const int64_t count = s.taps(), outputs = s.outputs();
  constexpr int64_t kTaps = kLanes == 16 ? 10 : 5;
  const T* dy = static_cast<const T*>(gradients);
  forParts(loop, count * outputs,
           [&](int64_t image, int64_t from, int64_t end, float* own, double* sums) {
             float* ones = own + rows.values();
             std::fill_n(ones, 2 * rows.each, 1.0f);
             std::fill_n(sums, count * outputs, 0.0);
             std::vector<const float*> at(count, ones);
             for (size_t t = 0; t < taps.size(); ++t) at[t] = own + taps[t];
             const T* pixels =
                 static_cast<const T*>(loop.x) + image * rows.channels * s.x.dim(2) * s.x.dim(3);
             for (int64_t i = from; i < end; ++i) {
               rows.copy(s, pixels, 2 * i, own);
               for (int64_t block = 0; block < blocks.count; block += 2) {
                 const bool wide = block + 1 < blocks.count;
                 GradientRow<T> row{{}, {}, blocks.pixelStride, s.pooledWidth(), rows.each};
                 for (int w = 0; w < 1 + wide; ++w) {
                   const int64_t first =
                       blocks.offset(image, block + w) + i * s.pooledWidth() * blocks.pixelStride;
                   row.dy[w] = dy + first;
                   row.positions[w] = positions + first;
                 }
                 const GradientRow<T>* const given = &row;
                 for (int64_t t = 0; t < count; t += kTaps)
                   runTile<SumTapsOf<T>::template Tile>(
                       static_cast<int>(std::min(kTaps, count - t)), wide, given,
                       static_cast<const float* const*>(at.data() + t),
                       sums + t * outputs + block * kLanes, outputs);
               }
             }
           });
}

inline bool takes(const Tensor& y) { return Blocks::fit(y) && y.dim(1) % kLanes == 0; }
inline void sumMoments(const Loop& loop) {
  withElement(loop.shapes.x, [&](auto element) { sumMomentsOf<decltype(element)>(loop); });
}
inline void normalise(const Loop& loop, const Normalisation& to) {
  withElement(loop.shapes.x, [&](auto element) { normaliseOf<decltype(element)>(loop, to); });
}
inline void sumGradients(const Loop& loop, const void* dy, const uint8_t* positions) {
  withElement(loop.shapes.x,
              [&](auto element) { sumGradientsOf<decltype(element)>(loop, dy, positions); });
}

}  // namespace lrscope::conv_norm_pool::LRSCOPE_WIDTH
