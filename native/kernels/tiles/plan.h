// How the gradient of a convolution's weights is cut into products of tiles.
//
// For each tap of the kernel, dW (inputs, outputs) is the product of x, shifted by the tap, and dy,
// over all places of y. A tile's rows are 16 input channels, its columns 16 outputs, and what is
// summed are places, 32 at a time. So x is turned over once, a row of places for each channel, and
// a tap's shift is an offset into that row: a row's places are those of one image line after line,
// with zeros between the lines that serve as padding of both. A stride makes a plane of each
// remainder. Of few channels (an image) a row is one channel and tap instead, and there is one
// shift.
#pragma once
#include <vector>

#include "kernels/tiles/tiles.h"

namespace lrscope::tiles {

constexpr int64_t kLanes = 16;              // rows and columns of a tile of sums
constexpr int64_t kPlaces = 32;             // that one instruction sums over
constexpr int64_t kTile = kLanes * kLanes;  // floats
constexpr int64_t kTileBytes = 1024;        // of any tile
constexpr int64_t kLine = 64;               // bytes

inline int64_t upTo(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

struct Plan {
  int64_t batch, channels, outputs, height, width, rows, columns, kernelHeight, kernelWidth;
  Pair stride, padding;
  bool few;
  int64_t planesDown, planesAcross;  // of x
  int64_t pitch;                     // places from one line of y to the next
  // A segment is some lines of an image of y; `slabs` of them are an image.
  int64_t slabRows, slabs, segments, steps;
  int64_t planePlaces;  // of a segment of x
  int64_t xRows, rowBlocks, outputBlocks, taps;
  // Segments are taken in chunks that fit into a cache. Sums of `parts` parts of them are made
  // apart, each by one thread, where there are many places for few weights.
  int64_t parts, chunk;
  int64_t xRowBytes, xBytes, dyBytes, sumsBytes, biasBytes;
  int64_t lineLength, lineBytes;              // of an image's line, taken apart by the stride
  std::vector<int64_t> shifts;                // bytes into a row of x, of each tap
  std::vector<std::vector<int32_t>> xPlaces;  // of each slab: element of the image, or -1
  std::vector<std::vector<int32_t>> dyPlaces;

  explicit Plan(const Problem& p);

  // Whether one thread makes a part's sums, and they are added afterwards.
  bool apart() const { return parts > 1; }
  int64_t firstOf(int64_t part) const { return segments * part / parts; }
  int64_t bufferBytes() const { return xBytes + dyBytes; }
  size_t scratchBytes(int64_t threads) const {
    return (apart() ? threads : 1) * bufferBytes() + (apart() || few ? parts : 0) * sumsBytes +
           biasBytes + threads * lineBytes;
  }
  // Tiles of sums lie as in ABcd16b16a.
  int64_t sumsOf(int64_t outputBlock, int64_t rowBlock, int64_t tap) const {
    return ((outputBlock * rowBlocks + rowBlock) * taps + tap) * kTile;
  }

 private:
  std::vector<int32_t> placesOfX(int64_t top) const;
  std::vector<int32_t> placesOfDy(int64_t top) const;
};

}  // namespace lrscope::tiles
