// The windows of a pooling: where they lie, and the largest value in one.
#pragma once
#include <limits>

#include "kernels/simd/lanes.h"

namespace lrscope {
inline namespace LRSCOPE_WIDTH {

struct Geometry {
  Pair kernel, stride, padding;

  // The part of a window inside the image: positions [from, to) along axis i.
  struct Range {
    int64_t start, from, to;  // start: where the window begins, perhaps outside
  };
  Range range(int i, int64_t out, int64_t extent) const {
    const int64_t start = out * stride[i] - padding[i];
    return {start, start < 0 ? 0 : start, start + kernel[i] < extent ? start + kernel[i] : extent};
  }
  // Windows [first, last] along axis i, of `count`, that hold a pixel; none where last < first.
  Pair windowsOf(int i, int64_t pixel, int64_t count) const {
    const int64_t shifted = pixel + padding[i] - kernel[i] + 1;
    const int64_t first = shifted <= 0 ? 0 : (shifted + stride[i] - 1) / stride[i];
    const int64_t last = (pixel + padding[i]) / stride[i];
    return {first, last < count ? last : count - 1};
  }
  // Where pixel (h, w) is in window (i, j).
  int32_t positionOf(int64_t h, int64_t w, int64_t i, int64_t j) const {
    return static_cast<int32_t>((h - i * stride[0] + padding[0]) * kernel[1] +
                                (w - j * stride[1] + padding[1]));
  }
  // Windows side by side that cover from the first pixel on: each pixel belongs to one at most.
  bool tiles() const { return kernel == stride && padding == Pair{0, 0}; }
  bool isTwoByTwo() const { return tiles() && kernel == Pair{2, 2}; }
};

inline Geometry geometryOf(const Attributes& attributes, const Tensor& x, const Tensor& y) {
  const Geometry g{attributes.pair("kernel"), attributes.pair("stride"),
                   attributes.pair("padding")};
  if (x.shape.size() != 4 || y.shape.size() != 4 || x.dim(0) != y.dim(0) || x.dim(1) != y.dim(1))
    throw Refusal("x " + formatShape(x.shape) + " and y " + formatShape(y.shape) +
                  " do not fit each other");
  if (g.kernel[0] * g.kernel[1] > 255) throw Refusal("windows of more than 255 pixels do not fit");
  for (int i = 0; i < 2; ++i)
    if (g.kernel[i] < 1 || g.stride[i] < 1 || g.padding[i] >= g.kernel[i] ||
        x.dim(2 + i) + 2 * g.padding[i] < g.kernel[i] ||
        y.dim(2 + i) != (x.dim(2 + i) + 2 * g.padding[i] - g.kernel[i]) / g.stride[i] + 1)
      throw Refusal("kernel, stride and padding do not lead from " + formatShape(x.shape) + " to " +
                    formatShape(y.shape));
  return g;
}

// Vectors do not fit plain windows: there a pixel is a row of one value.
inline int64_t pixelStride(const ChannelView& v) { return v.plain ? 1 : v.rowStride; }

template <class Work>
void withLanes(const ChannelView& v, int64_t g, Work work) {
  if (v.plain)
    work(Part{1}, std::integral_constant<int, 1>{});
  else
    withVectors(v, g, work);
}

// The largest value so far, and where it was.
struct Best {
  Vec value = Vec{} - std::numeric_limits<float>::infinity();
  Mask index{};

  // Not below or equal: larger, or a NaN; and the first NaN stays.
  void offer(Vec candidate, int32_t position) {
#ifdef LRSCOPE_AVX512
    const __mmask16 wins = _mm512_cmp_ps_mask((__m512)candidate, (__m512)value, _CMP_NLE_UQ) &
                           _mm512_cmp_ps_mask((__m512)value, (__m512)value, _CMP_ORD_Q);
    value = (Vec)_mm512_mask_mov_ps((__m512)value, wins, (__m512)candidate);
    index = (Mask)_mm512_mask_mov_epi32((__m512i)index, wins, _mm512_set1_epi32(position));
#else
    const Mask wins = ~(candidate <= value) & (value == value);
    value = wins ? candidate : value;
    index = wins ? Mask{} + position : index;
#endif
  }
};

// The largest of map(x, u) in each window of one image of one group; keep(best, at) for each.
template <class Io, class Vecs, class T, class Map, class Keep>
void findMaxima(Io io, Vecs vecs, const Geometry& geometry, const ChannelView& from,
                const ChannelView& to, const T* x, Map map, Keep keep) {
  const int64_t pixel = pixelStride(from), outPixel = pixelStride(to);
  const bool twoByTwo = geometry.isTwoByTwo();
  for (int64_t i = 0; i < to.height; ++i) {
    const auto rows = geometry.range(0, i, from.height);
    for (int64_t j = 0; j < to.width; ++j) {
      const int64_t at = (i * to.width + j) * outPixel;
      if (twoByTwo) {
        const T* upper = x + 2 * i * from.width * pixel;
        const T* lower = upper + from.width * pixel;
        for (int u = 0; u < vecs; ++u) {
          const int64_t left = 2 * j * pixel + u * kVec, right = left + pixel;
          Best best;
          best.offer(map(io.load(upper + left), u), 0);
          best.offer(map(io.load(upper + right), u), 1);
          best.offer(map(io.load(lower + left), u), 2);
          best.offer(map(io.load(lower + right), u), 3);
          keep(best, at + u * kVec);
        }
        continue;
      }
      const auto columns = geometry.range(1, j, from.width);
      const auto position = [&](int64_t r, int64_t c) {
        return static_cast<int32_t>((r - rows.start) * geometry.kernel[1] + (c - columns.start));
      };
      for (int u = 0; u < vecs; ++u) {
        Best best;
        best.index += position(rows.from, columns.from);
        for (int64_t r = rows.from; r < rows.to; ++r)
          for (int64_t c = columns.from; c < columns.to; ++c)
            best.offer(map(io.load(x + (r * from.width + c) * pixel + u * kVec), u),
                       position(r, c));
        keep(best, at + u * kVec);
      }
    }
  }
}

// Gradients of one image of one group from its windows, any windows: each pixel asks those that
// hold it. write(d, at, u) for each.
template <class Io, class Vecs, class T, class Write>
void gatherGradients(Io io, Vecs vecs, const Geometry& geometry, const ChannelView& small,
                     const ChannelView& large, const T* dy, const uint8_t* where, Write write) {
  const int64_t pixel = pixelStride(large), smallPixel = pixelStride(small);
  for (int64_t h = 0; h < large.height; ++h) {
    const Pair rows = geometry.windowsOf(0, h, small.height);
    for (int64_t w = 0; w < large.width; ++w) {
      const Pair columns = geometry.windowsOf(1, w, small.width);
      for (int u = 0; u < vecs; ++u) {
        Vec sum{};
        for (int64_t i = rows[0]; i <= rows[1]; ++i)
          for (int64_t j = columns[0]; j <= columns[1]; ++j) {
            const int64_t at = (i * small.width + j) * smallPixel + u * kVec;
            sum += select(io.loadBytes(where + at) == geometry.positionOf(h, w, i, j),
                          io.load(dy + at));
          }
        write(sum, (h * large.width + w) * pixel + u * kVec, u);
      }
    }
  }
}

}  // namespace LRSCOPE_WIDTH
}  // namespace lrscope
