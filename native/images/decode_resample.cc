#include "images/decode_resample.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace lrscope {

// `mirrored`: the orientation will reverse this axis, so an odd remainder of the crop goes to the
// other side. `shorter`: pixels of the shorter side.
void Resampler::setTaps(Axis& axis, const Side& side, int shorter, int size, bool mirrored) {
  const int length = side.samples;
  const int64_t resized = static_cast<int64_t>(size) * side.pixels / shorter;
  const int64_t remainder = resized - size;
  const int64_t offset = mirrored ? remainder - remainder / 2 : remainder / 2;
  const double scale = side.extent() / static_cast<double>(resized);
  // Where the last sample's pixels begin, how many samples' worth they are, and their middle.
  const double lastBegins = length - 1, lastLength = side.extent() - lastBegins;
  const double lastCentre = lastBegins + lastLength / 2;
  const double support = std::max(1.0, scale);
  axis.copies = side.reduction == 1 && resized == length;
  axis.stride = static_cast<int>(std::ceil(2 * support)) + 2;
  axis.first.resize(size);
  axis.count.resize(size);
  axis.weights.assign(static_cast<size_t>(size) * axis.stride, 0.0f);
  axis.low = length;
  axis.high = 0;
  std::vector<double> exact(axis.stride);
  for (int o = 0; o < size; ++o) {
    const double centre = (static_cast<double>(offset + o) + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(std::floor(centre - support + 0.5)));
    const int end = std::min(length, static_cast<int>(std::floor(centre + support + 0.5)));
    double sum = 0;
    for (int k = first; k < end; ++k) {
      const bool last = k == length - 1;
      const double distance = std::abs((last ? lastCentre : k + 0.5) - centre);
      exact[k - first] = (last ? lastLength : 1.0) * std::max(0.0, 1.0 - distance / support);
      sum += exact[k - first];
    }
    for (int k = first; k < end; ++k)
      axis.weights[static_cast<size_t>(o) * axis.stride + (k - first)] =
          static_cast<float>(exact[k - first] / sum);
    axis.first[o] = first;
    axis.count[o] = end - first;
    axis.low = std::min(axis.low, first);
    axis.high = std::max(axis.high, end);
  }
  axis.offset = static_cast<int>(std::min<int64_t>(offset, length));
}

namespace {

// Four floats in one register; x86 and ARM alike.
typedef float Float4 __attribute__((vector_size(16)));

inline uint8_t rounded(float value) { return static_cast<uint8_t>(std::min(255.0f, value + 0.5f)); }

// Weighted sum of `taps` pixels. The fourth lane reads the next pixel's first value, and is
// dropped.
template <int C>
void weigh(const float* weights, const float* from, int taps, uint8_t* out) {
  if constexpr (C == 3) {
    Float4 sum = {0, 0, 0, 0};
    for (int k = 0; k < taps; ++k) {
      Float4 pixel;
      std::memcpy(&pixel, from + 3 * k, sizeof pixel);
      sum += pixel * weights[k];
    }
    for (int c = 0; c < 3; ++c) out[c] = rounded(sum[c]);
  } else {
    float sum = 0;
    for (int k = 0; k < taps; ++k) sum += from[k] * weights[k];
    out[0] = rounded(sum);
  }
}

}  // namespace

// Vertical pass into one float row, which the compiler vectorises, then the horizontal pass over
// it.
void Resampler::resize(const RawView& source, int size) {
  const int channels = source.channels;
  square_.resize(static_cast<size_t>(size) * size * channels);
  const size_t sourceRow = static_cast<size_t>(source.width) * channels;
  const size_t targetRow = static_cast<size_t>(size) * channels;
  if (x_.copies && y_.copies) {
    for (int o = 0; o < size; ++o)
      std::memcpy(
          square_.data() + o * targetRow,
          source.pixels + (y_.offset + o) * sourceRow + static_cast<size_t>(x_.offset) * channels,
          targetRow);
    return;
  }
  const size_t span = static_cast<size_t>(x_.high - x_.low) * channels;
  row_.resize(span + 1);  // one more for the fourth lane
  float* const row = row_.data();
  for (int o = 0; o < size; ++o) {
    const float* weights = y_.weights.data() + static_cast<size_t>(o) * y_.stride;
    const uint8_t* line = source.pixels + static_cast<size_t>(y_.first[o]) * sourceRow +
                          static_cast<size_t>(x_.low) * channels;
    std::fill(row, row + span, 0.0f);
    for (int k = 0; k < y_.count[o]; ++k, line += sourceRow) {
      const float weight = weights[k];
      if (weight == 0.0f) continue;
      for (size_t i = 0; i < span; ++i) row[i] += weight * static_cast<float>(line[i]);
    }
    uint8_t* out = square_.data() + o * targetRow;
    for (int p = 0; p < size; ++p) {
      const float* taps = x_.weights.data() + static_cast<size_t>(p) * x_.stride;
      const float* from = row + static_cast<size_t>(x_.first[p] - x_.low) * channels;
      if (channels == 3)
        weigh<3>(taps, from, x_.count[p], out + 3 * p);
      else
        weigh<1>(taps, from, x_.count[p], out + p);
    }
  }
}

void Resampler::run(const RawView& source, int orientation, uint8_t* target, int size,
                    int channels) {
  const bool mirrorX = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool mirrorY = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const bool transposed = orientation >= 5;
  const Side x = source.x(), y = source.y();
  const int shorter = std::min(x.pixels, y.pixels);
  setTaps(x_, x, shorter, size, mirrorX);
  setTaps(y_, y, shorter, size, mirrorY);
  resize(source, size);

  if (orientation == 1 && channels == source.channels) {
    std::memcpy(target, square_.data(), square_.size());
    return;
  }
  for (int y = 0; y < size; ++y)
    for (int x = 0; x < size; ++x) {
      const int column = transposed ? y : x;
      const int line = transposed ? x : y;
      const uint8_t* from =
          square_.data() + (static_cast<size_t>(mirrorY ? size - 1 - line : line) * size +
                            (mirrorX ? size - 1 - column : column)) *
                               source.channels;
      uint8_t* to = target + (static_cast<size_t>(y) * size + x) * channels;
      if (channels == source.channels)
        for (int c = 0; c < channels; ++c) to[c] = from[c];
      else if (channels == 3)
        to[0] = to[1] = to[2] = from[0];
      else
        to[0] = static_cast<uint8_t>((299 * from[0] + 587 * from[1] + 114 * from[2] + 500) / 1000);
    }
}

}  // namespace lrscope
