// The windows of a pooling: where they lie, and the largest value in one.
#pragma once
#include <limits>

#include "kernels/simd/lanes.h"

namespace lrscope {

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
  const std::integral_constant<int, 1> one;
  if (v.plain)
    work(Part{1}, one);
  else if (v.lanes == 2 * kVec)
    work(Whole{}, std::integral_constant<int, 2>{});
  else if (v.lanesOf(g) == kVec)
    work(Whole{}, one);
  else
    work(Part{static_cast<int>(v.lanesOf(g))}, one);
}

// The largest value so far, and where it was.
struct Best {
  Vec value = Vec{} - std::numeric_limits<float>::infinity();
  Mask index{};

  void offer(Vec candidate, int32_t position) {
    // Not below or equal: larger, or a NaN; and the first NaN stays.
    const Mask wins = ~(candidate <= value) & (value == value);
    value = wins ? candidate : value;
    index = wins ? Mask{} + position : index;
  }
};

}  // namespace lrscope
