// The loops of a first block, for the vectors of winograd/vector.h. Of an image's rows, as many as
// a band of the output needs are copied between zeros that stand for the padding; a tap is an
// offset into them.
#pragma once
#include <limits>

#include "kernels/conv_norm_pool/conv_norm_pool.h"
#include "kernels/winograd/operands.h"
#include "kernels/winograd/product.h"

namespace lrscope::conv_norm_pool::LRSCOPE_WIDTH {

using namespace winograd::LRSCOPE_WIDTH;

#ifdef LRSCOPE_AVX512

using Doubles = __m512d;
inline Doubles loadDoubles(const double* from) { return _mm512_loadu_pd(from); }
inline void storeDoubles(double* to, Doubles v) { _mm512_storeu_pd(to, v); }
inline Doubles multiplyAddDoubles(Doubles a, Doubles x, Doubles y) {
  return _mm512_fmadd_pd(a, x, y);
}

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

using Doubles = __m256d;
inline Doubles loadDoubles(const double* from) { return _mm256_loadu_pd(from); }
inline void storeDoubles(double* to, Doubles v) { _mm256_storeu_pd(to, v); }
inline Doubles multiplyAddDoubles(Doubles a, Doubles x, Doubles y) {
  return _mm256_fmadd_pd(a, x, y);
}

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

constexpr int kDoubles = kLanes / 2;

// Rows of x for so many rows of the convolution's output.
struct Rows {
  int64_t each, count, channels;
  Rows(const Shapes& s, int64_t outputRows)
      : each(s.rowValues()), count(outputRows + s.kernelHeight() - 1), channels(s.channels()) {}
  int64_t values() const { return channels * count * each; }

  // Offsets of all taps but the last.
  std::vector<int64_t> taps(const Shapes& s) const {
    std::vector<int64_t> offsets;
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t k = 0; k < s.kernelHeight(); ++k)
        for (int64_t l = 0; l < s.kernelWidth(); ++l) offsets.push_back((c * count + k) * each + l);
    return offsets;
  }

  // From row `top` of the convolution's output on.
  template <class T, class To>
  void copy(const Shapes& s, const T* image, int64_t top, To* to) const {
    const int64_t height = s.x.dim(2), width = s.x.dim(3);
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t r = 0; r < count; ++r, to += each) {
        const int64_t row = top + r - s.padding[0];
        std::fill_n(to, each, To{0});
        if (row < 0 || row >= height) continue;
        const T* from = image + (c * height + row) * width;
        for (int64_t i = 0; i < width; ++i) to[s.padding[1] + i] = static_cast<To>(wide(from[i]));
      }
  }
};

// Rows of the output that moments are summed over at once.
constexpr int64_t kMomentRows = 4;

inline int64_t momentDoubles(const Shapes& s) {
  return Rows(s, kMomentRows).values() + kMomentRows * s.rowValues();
}
// Two rows more, of ones.
inline int64_t pooledFloats(const Shapes& s) { return Rows(s, 2).values() + 2 * s.rowValues(); }
inline int64_t ownFloats(const Shapes& s) {
  return oddLines(std::max(2 * momentDoubles(s), pooledFloats(s)) + kLanes);
}

// body(image, pooled row from, pooled row to, own memory, sums) for each part.
template <class Body>
void forParts(const Loop& loop, int64_t sumsOfPart, Body body) {
  const Shapes& s = loop.shapes;
  const int64_t bands = s.bands(), own = ownFloats(s);
#pragma omp parallel
  {
    const Share share(s.parts(), omp_get_num_threads(), omp_get_thread_num());
    for (int64_t part = share.from; part < share.to; ++part) {
      const Share rows(s.pooledHeight(), bands, part % bands);
      body(part / bands, rows.from, rows.to, loop.own + omp_get_thread_num() * own,
           loop.sums + part * sumsOfPart);
    }
    settle();
  }
}

// sums (4, 4 of a row of `row`) += over so many rows of `width` places of a[i] b[j].
inline void sumTapTile(const double* const* a, const double* const* b, int64_t rows, int64_t step,
                       int64_t width, double* sums, int64_t row) {
  Doubles sum[kTapTile][kTapTile] = {};
  double rest[kTapTile][kTapTile] = {};
  const int64_t whole = width / kDoubles * kDoubles;
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t at = r * step; at < r * step + whole; at += kDoubles) {
      Doubles right[kTapTile];
      for (int j = 0; j < kTapTile; ++j) right[j] = loadDoubles(b[j] + at);
      for (int i = 0; i < kTapTile; ++i) {
        const Doubles left = loadDoubles(a[i] + at);
        for (int j = 0; j < kTapTile; ++j)
          sum[i][j] = multiplyAddDoubles(left, right[j], sum[i][j]);
      }
    }
    for (int64_t at = r * step + whole; at < r * step + width; ++at)
      for (int i = 0; i < kTapTile; ++i)
        for (int j = 0; j < kTapTile; ++j) rest[i][j] += a[i][at] * b[j][at];
  }
  for (int i = 0; i < kTapTile; ++i)
    for (int j = 0; j < kTapTile; ++j) {
      alignas(64) double lanes[kDoubles];
      storeDoubles(lanes, sum[i][j]);
      double total = rest[i][j];
      for (const double lane : lanes) total += lane;
      sums[i * row + j] += total;
    }
}

// The upper triangle of each part's moments, in tiles.
template <class T>
void sumMomentsOf(const Loop& loop) {
  const Shapes& s = loop.shapes;
  const Rows rows(s, kMomentRows);
  const std::vector<int64_t> taps = rows.taps(s);
  const int64_t row = momentRow(s.taps()), width = 2 * s.pooledWidth();
  forParts(loop, momentCount(s.taps()),
           [&](int64_t image, int64_t from, int64_t to, float* own, double* sums) {
             auto* values = reinterpret_cast<double*>(own);
             double* ones = values + rows.values();
             std::fill_n(ones, kMomentRows * rows.each, 1.0);
             std::fill_n(sums, row * row, 0.0);
             // What fills up the last tile repeats the ones, and is never read.
             std::vector<const double*> at(row, ones);
             for (size_t t = 0; t < taps.size(); ++t) at[t] = values + taps[t];
             const T* pixels =
                 static_cast<const T*>(loop.x) + image * rows.channels * s.x.dim(2) * s.x.dim(3);
             for (int64_t top = 2 * from; top < 2 * to; top += kMomentRows) {
               rows.copy(s, pixels, top, values);
               const int64_t count = std::min(kMomentRows, 2 * to - top);
               for (int64_t i = 0; i < row; i += kTapTile)
                 for (int64_t j = i; j < row; j += kTapTile)
                   sumTapTile(at.data() + i, at.data() + j, count, rows.each, width,
                              sums + i * row + j, row);
             }
           });
}

// W vectors of outputs of J pooled values side by side.
template <class T>
struct PoolTile {
  const Shapes& shapes;
  const Normalisation& to;
  const Blocks& blocks;
  const std::vector<int64_t>& taps;
  int64_t each;  // of a row of x
  bool past;     // results are written past the caches

  template <int J, int W>
  inline __attribute__((always_inline)) void run(const float* rows, int64_t image, int64_t place,
                                                 int64_t block) const {
    Vector sum[4 * J][W];
#pragma GCC unroll 16
    for (int k = 0; k < 4 * J; ++k)
#pragma GCC unroll 2
      for (int w = 0; w < W; ++w) sum[k][w] = zeros();
    const float* weights = to.weights + block * kLanes;
    for (const int64_t offset : taps) {
      const float* at = rows + offset;
      Vector factor[W];
#pragma GCC unroll 2
      for (int w = 0; w < W; ++w) factor[w] = load(weights + w * kLanes);
      weights += blocks.channels;
#pragma GCC unroll 16
      for (int k = 0; k < 4 * J; ++k) {
        const Vector value = spread(at[k % 4 / 2 * each + k / 4 * 2 + k % 2]);
#pragma GCC unroll 2
        for (int w = 0; w < W; ++w) sum[k][w] = multiplyAdd(value, factor[w], sum[k][w]);
      }
    }
    for (int w = 0; w < W; ++w) {
      const int64_t channel = (block + w) * kLanes;
      const Vector mean = load(to.mean + channel), scale = load(to.scale + channel),
                   beta = load(to.beta + channel);
      const int64_t first = blocks.offset(image, block + w) + place * blocks.pixelStride;
      for (int j = 0; j < J; ++j) {
        Best best;
        for (int k = 0; k < 4; ++k)
          best.offer(multiplyAdd(sum[4 * j + k][w] - mean, scale, beta), k);
        T* at = static_cast<T*>(to.y) + first + j * blocks.pixelStride;
        // A NaN is not below 0: it passes, but its gradient does not.
        const auto value = (Vector)best.value;
        const Vector passed = to.relu ? relu(value) : value;
        if (past)
          stream(at, passed);
        else
          store(at, passed);
        if (to.positions)
          best.storePositions(to.positions + first + j * blocks.pixelStride, to.relu);
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
      const int64_t width = s.pooledWidth(), first = i * width;
      for (int64_t block = 0; block < blocks.count; block += 2) {
        const bool wide = block + 1 < blocks.count;
        int64_t j = 0;
        if (wide)
          for (; j + kSideBySide <= width; j += kSideBySide)
            tile.template run<kSideBySide, 2>(own + 2 * j, image, first + j, block);
        for (; j < width; ++j)
          if (wide)
            tile.template run<1, 2>(own + 2 * j, image, first + j, block);
          else
            tile.template run<1, 1>(own + 2 * j, image, first + j, block);
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
