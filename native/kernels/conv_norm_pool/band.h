// What the loops of a first block share: a band of an image's rows, copied between zeros that stand
// for the padding, so that a tap is an offset into them; each thread's memory for it; and the parts
// that sums are taken by.
#pragma once
#include "kernels/conv_norm_pool/conv_norm_pool.h"
#include "kernels/winograd/operands.h"

namespace lrscope::conv_norm_pool::LRSCOPE_WIDTH {

using namespace winograd::LRSCOPE_WIDTH;

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

// The columns at either end of an image that only some of a kernel's columns reach, each with the
// band's rows side by side: [left, right][channel][column][row].
struct Strips {
  int64_t columns, rows, channels;
  explicit Strips(const Shapes& s)
      : columns(s.kernelWidth() - 1),
        rows(2 * s.pooledHeight() + s.kernelHeight() - 1),
        channels(s.channels()) {}
  int64_t values() const { return 2 * channels * columns * rows; }
  int64_t at(bool right, int64_t channel, int64_t column) const {
    return ((right * channels + channel) * columns + column) * rows;
  }
};

// Rows, as many of ones, and strips.
inline int64_t momentDoubles(const Shapes& s) {
  return Rows(s, kMomentRows).values() + kMomentRows * s.rowValues() + Strips(s).values();
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

}  // namespace lrscope::conv_norm_pool::LRSCOPE_WIDTH
