// Tensors and their layouts, as the engine sees them. Letters as in src/program/types.ts.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/refusal.h"
#include "engine/onednn.h"

namespace lrscope {

enum class DType { f32, bf16, i32, u8 };

inline size_t sizeOf(DType type) { return type == DType::u8 ? 1 : type == DType::bf16 ? 2 : 4; }

struct Tensor {
  std::vector<int64_t> shape;
  DType dtype = DType::f32;
  std::string layout;  // "any" where the backend is free to choose
  // Of a convolution's weights (O,C/groups,kh,kw): oneDNN has a dimension for the groups, in front.
  int64_t groups = 1;

  int64_t elements() const {
    int64_t product = 1;
    for (const int64_t extent : shape) product *= extent;
    return product;
  }
  int64_t dim(size_t i) const { return shape.at(i); }
};

// The row-major layout of a rank: "a", "ab", "abc", "abcd".
inline std::string plainLayout(size_t rank) { return std::string("abcd").substr(0, rank); }

std::string formatShape(const std::vector<int64_t>& shape);

// Where the elements of a tensor lie: logical index -> element offset.
class LayoutMap {
 public:
  // Refuses a layout that is not well formed for the rank.
  LayoutMap(const std::string& layout, const std::vector<int64_t>& shape);

  // Elements with padding.
  int64_t paddedElements() const { return padded_; }

  // Offset of an element. Each dimension adds its own part, so that
  // offset({i, j}) == offset({i, 0}) + offset({0, j}).
  int64_t offset(std::array<int64_t, 4> index) const {
    int64_t sum = 0;
    for (const Part& part : parts_) {
      sum += index[part.dimension] % part.extent * part.stride;
      index[part.dimension] /= part.extent;
    }
    return sum;
  }

  // Elements without padding.
  int64_t elements() const { return logical_; }

  const std::vector<int64_t>& shape() const { return shape_; }

  // Dimension of which neighbours lie together.
  int innermost() const { return parts_.front().dimension; }

 private:
  struct Part {
    int dimension;
    int64_t extent;
    int64_t stride;
  };

  std::vector<int64_t> shape_;
  std::vector<Part> parts_;  // innermost first
  int64_t padded_ = 1;
  int64_t logical_ = 1;
};

// The offsets of a map, each dimension's part of them worked out once: to walk over many elements.
// The tensor is seen as rows, one of each index of its first dimension. Of several threads at once.
class LayoutOffsets {
 public:
  explicit LayoutOffsets(const LayoutMap& map);

  // Elements of a row.
  int64_t columns() const { return columns_; }
  // Whether what lies together in memory is of one column, so that a walk along a row meets each
  // cache line for one element.
  bool isByColumn() const { return byColumn_; }

  // Calls visit(logicalIndex, offset) for the elements [from, to), in logical order.
  template <class Visit>
  void forEach(int64_t from, int64_t to, Visit visit) const {
    const int64_t* const last = parts_.back().data();
    const auto length = static_cast<int64_t>(parts_.back().size());
    for (int64_t i = from; i < to;) {
      const int64_t begin = i % length;
      const int64_t base = offsetOf(i - begin, 0);
      const int64_t end = std::min(length, begin + to - i);
      for (int64_t at = begin; at < end; ++at, ++i) visit(i, base + last[at]);
    }
  }

  // The same of rows [row, end) in columns [from, to), a few columns at a time, so that a cache
  // line is met for all of its elements on either side.
  template <class Visit>
  void forEachOfColumns(int64_t row, int64_t end, int64_t from, int64_t to, Visit visit) const {
    constexpr int64_t kTogether = 16;
    const int64_t* const ofRow = parts_[first_].data();
    std::array<int64_t, kTogether> base;
    for (int64_t column = from; column < to; column += kTogether) {
      const int64_t count = std::min(kTogether, to - column);
      for (int64_t c = 0; c < count; ++c) base[c] = offsetOf(column + c, first_ + 1);
      for (int64_t r = row; r < end; ++r)
        for (int64_t c = 0; c < count; ++c) visit(r * columns_ + column + c, base[c] + ofRow[r]);
    }
  }

 private:
  // Of an index over the dimensions from `least` on.
  int64_t offsetOf(int64_t index, size_t least) const {
    int64_t sum = 0;
    for (size_t d = parts_.size(); d-- > least;) {
      const auto extent = static_cast<int64_t>(parts_[d].size());
      sum += parts_[d][index % extent];
      index /= extent;
    }
    return sum;
  }

  // Of each index of each dimension; those that the tensor lacks stand in front, with one index.
  std::array<std::vector<int64_t>, 4> parts_;
  size_t first_;  // of the dimensions that it has
  int64_t columns_ = 1;
  bool byColumn_;
};

// Bytes of a tensor, padding included.
size_t layoutBytes(const Tensor& tensor);

// A descriptor for oneDNN; layout "any" leaves the format to it.
onednn::Desc descriptor(const Tensor& tensor);

// The layout's letters, or "" when the descriptor is none of oneDNN's named formats.
std::string layoutOf(const onednn::Desc& desc);

// A 4-D activation as rows of `lanes` neighbouring values. In "aBcd8b", "aBcd16b" and "acdb" the
// lanes are channels and a row is a pixel: value (b, channel g * lanes + l, pixel p) lies at
// b * batchStride + g * groupStride + p * rowStride + l. In "abcd" a group is one channel and its
// pixels are the lanes (plain == true).
struct ChannelView {
  int64_t batch, channels, height, width;
  int64_t lanes, groups;
  int64_t batchStride, groupStride, rowStride;
  bool plain;
  bool padded;  // the lanes past the last channel exist in memory, and hold zeros

  int64_t pixels() const { return height * width; }
  // Channels in group g that are real.
  int64_t channelsOf(int64_t g) const {
    return plain ? 1 : (channels - g * lanes < lanes ? channels - g * lanes : lanes);
  }
  // Lanes of group g that may be touched.
  int64_t lanesOf(int64_t g) const { return padded ? lanes : channelsOf(g); }
};

ChannelView channelView(const Tensor& tensor);

}  // namespace lrscope
