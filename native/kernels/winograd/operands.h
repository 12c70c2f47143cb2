// A Winograd convolution's operands as its loops see them: activations as blocks of a vector of
// channels, weights by a table of offsets, tiles by their number.
#pragma once
#include "kernels/winograd/transform.h"

namespace lrscope::winograd::LRSCOPE_WIDTH {

// An activation that keeps a vector of channels together: "aBcd16b", "aBcd8b" for vectors of eight,
// or "acdb" where the vector divides the channels.
struct Blocks {
  int64_t batch, channels, height, width;
  int64_t count;  // of blocks; those past the last channel hold zeros
  int64_t batchStride, groupStride, pixelStride, perGroup;

  explicit Blocks(const Tensor& tensor) {
    const ChannelView v = channelView(tensor);
    batch = v.batch;
    channels = v.channels;
    height = v.height;
    width = v.width;
    // Channels-last, all channels of a pixel are one group.
    const int64_t lanes = v.padded ? v.lanes : v.channels;
    perGroup = lanes / kLanes;
    count = (v.padded ? v.groups : 1) * perGroup;
    batchStride = v.batchStride;
    groupStride = v.padded ? v.groupStride : 0;
    pixelStride = v.rowStride;
  }
  static bool fit(const Tensor& t) {
    return (t.layout == "aBcd8b" && kLanes == 8) || t.layout == "aBcd16b" ||
           (t.layout == "acdb" && t.dim(1) % kLanes == 0);
  }
  int64_t lanes() const { return count * kLanes; }
  int64_t offset(int64_t b, int64_t block) const {
    return b * batchStride + block / perGroup * groupStride + block % perGroup * kLanes;
  }
  // Channels of a block that are real.
  int channelsOf(int64_t block) const {
    return static_cast<int>(std::clamp<int64_t>(channels - block * kLanes, 0, kLanes));
  }
};

// Where weight (o, c, h, w) lies, in any layout: outputs[o] + inputs[c] + positions[h * width + w].
struct WeightOffsets {
  std::vector<int64_t> outputs, inputs, positions;

  explicit WeightOffsets(const Tensor& weight) {
    const LayoutMap map(weight.layout, weight.shape);
    for (int64_t o = 0; o < weight.dim(0); ++o) outputs.push_back(map.offset({o, 0, 0, 0}));
    for (int64_t c = 0; c < weight.dim(1); ++c) inputs.push_back(map.offset({0, c, 0, 0}));
    for (int64_t h = 0; h < weight.dim(2); ++h)
      for (int64_t w = 0; w < weight.dim(3); ++w) positions.push_back(map.offset({0, 0, h, w}));
  }
  // Whether the vector of channels from `first` on are neighbours in memory.
  static bool together(const std::vector<int64_t>& channels, int64_t first) {
    for (int64_t l = 1; l < kLanes; ++l)
      if (channels[first + l] != channels[first] + l) return false;
    return true;
  }
};

// The tiles of all images in turn, row by row.
struct Tiles {
  int64_t rows, columns, total;

  Tiles(int64_t batch, int64_t height, int64_t width)
      : rows((height + kTile - 1) / kTile),
        columns((width + kTile - 1) / kTile),
        total(batch * rows * columns) {}

  struct Place {
    int64_t image, top, left;  // of the tile's first output
  };
  Place at(int64_t tile) const {
    const int64_t image = tile / (rows * columns), rest = tile % (rows * columns);
    return {image, rest / columns * kTile, rest % columns * kTile};
  }
};

// A share of `total` things for one of `threads` threads.
struct Share {
  int64_t from, to;
  Share(int64_t first, int64_t end) : from(first), to(end) {}
  Share(int64_t total, int64_t threads, int64_t me)
      : from(total * me / threads), to(total * (me + 1) / threads) {}
};

// Floats rounded up to an odd number of cache lines. What is a power of two apart would fall into
// the same few sets of a cache.
inline int64_t oddLines(int64_t floats) { return ((floats + 15) / 16 | 1) * 16; }

// Transformed tiles: value (product f, tile t, channel c) lies at f * plane + t * row + c.
struct Panel {
  int64_t row, plane;
  Panel(int64_t tiles, int64_t lanes) : row(lanes), plane(oddLines(tiles * lanes)) {}
  int64_t floats() const { return kProducts * plane; }
};

// The 6x6 patch of x that the tile at `place` is computed from, transformed: product f goes to
// to + f * plane. What lies outside of the image counts as zero.
template <class T>
void transformInput(const Blocks& x, const T* block, Tiles::Place place, Pair padding, float* to,
                    int64_t plane) {
  const int64_t top = place.top - padding[0], left = place.left - padding[1];
  const int64_t rowStride = x.width * x.pixelStride;
  const auto put = [&](int i, int j, Vector v) { store(to + (i * kPatch + j) * plane, v); };
  const T* from = block + top * rowStride + left * x.pixelStride;
  // The columns that the tile to the right has beside these.
  for (int i = 0; i < kPatch; ++i)
    for (int j = kPatch; j < kPatch + kTile; ++j)
      _mm_prefetch(reinterpret_cast<const char*>(from + i * rowStride + j * x.pixelStride),
                   _MM_HINT_T0);
  if (top >= 0 && left >= 0 && top + kPatch <= x.height && left + kPatch <= x.width) {
    transform<InputLine>(
        [&](int i, int j) { return load(from + i * rowStride + j * x.pixelStride); }, put);
    return;
  }
  Keep rows[kPatch], columns[kPatch];
  for (int i = 0; i < kPatch; ++i) {
    rows[i] = lanesBelow(top + i >= 0 && top + i < x.height ? kLanes : 0);
    columns[i] = lanesBelow(left + i >= 0 && left + i < x.width ? kLanes : 0);
  }
  transform<InputLine>(
      [&](int i, int j) {
        return load(both(rows[i], columns[j]), from + i * rowStride + j * x.pixelStride);
      },
      put);
}

// The operands of a step that computes the gradients of weights, and of a bias where there is one.
struct GradientOperands {
  Operand x, dy, weight, bias, scratch;
  bool hasBias;
  WeightOffsets offsets;
  size_t weightBytes;

  GradientOperands(const Site& site, const Product& o, size_t scratchBytes)
      : x(o.x),
        dy(o.y),
        weight(o.weight),
        bias(o.bias ? *o.bias : Operand()),
        scratch(site.scratch),
        hasBias(o.bias != nullptr),
        offsets(o.weight),
        weightBytes(layoutBytes(o.weight)) {
    if (hasBias) expectVector(bias, o.weight.dim(0));
    expectScratch(site, scratchBytes);
  }
};

}  // namespace lrscope::winograd::LRSCOPE_WIDTH
