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
#include <algorithm>
#include <vector>

#include "kernels/tiles/tiles.h"

#ifndef __clang__
// GCC 12's intrinsics start from a vector that they leave unset, and warn of it.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace lrscope::tiles::avx512 {

constexpr int64_t kLanes = 16;                 // rows and columns of a tile of sums
constexpr int64_t kPlaces = 32;                // that one instruction sums over
constexpr int64_t kTile = kLanes * kLanes;     // floats
constexpr int64_t kTileBytes = 1024;           // of any tile
constexpr int64_t kLine = 64;                  // bytes

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
  int64_t planePlaces;               // of a segment of x
  int64_t xRows, rowBlocks, outputBlocks, taps;
  // Segments are taken in chunks that fit into a cache. Sums of `parts` parts of them are made
  // apart, each by one thread, where there are many places for few weights.
  int64_t parts, chunk;
  int64_t xRowBytes, xBytes, dyBytes, sumsBytes, biasBytes;
  int64_t lineLength, lineBytes;  // of an image's line, taken apart by the stride
  std::vector<int64_t> shifts;                 // bytes into a row of x, of each tap
  std::vector<std::vector<int32_t>> xPlaces;   // of each slab: element of the image, or -1
  std::vector<std::vector<int32_t>> dyPlaces;

  explicit Plan(const Problem& p)
      : batch(p.x.dim(0)),
        channels(p.x.dim(1)),
        outputs(p.dy.dim(1)),
        height(p.x.dim(2)),
        width(p.x.dim(3)),
        rows(p.dy.dim(2)),
        columns(p.dy.dim(3)),
        kernelHeight(p.weight.dim(2)),
        kernelWidth(p.weight.dim(3)),
        stride(p.stride),
        padding(p.padding),
        few(channels % kLanes != 0) {
    if (std::max(height * width * channels, rows * columns * outputs) > INT32_MAX)
      throw Refusal("takes images of up to 2^31 values here");
    const int64_t down = few ? 0 : (kernelHeight - 1) / stride[0];
    const int64_t across = few ? 0 : (kernelWidth - 1) / stride[1];
    planesDown = few ? 1 : std::min(stride[0], kernelHeight);
    planesAcross = few ? 1 : std::min(stride[1], kernelWidth);
    // The zeros after a line and those before the next are the same ones.
    const int64_t after = (columns - 1) * stride[1] + kernelWidth - width - padding[1];
    const int64_t shared =
        stride[1] == 1 ? std::clamp<int64_t>(std::min(padding[1], after), 0, across) : 0;
    pitch = columns + across - shared;
    taps = few ? 1 : kernelHeight * kernelWidth;
    xRows = few ? upTo(channels * kernelHeight * kernelWidth, kLanes) : channels;
    rowBlocks = xRows / kLanes;
    outputBlocks = outputs / kLanes;

    constexpr int64_t kSegmentBytes = 768 << 10;
    const int64_t planes = planesDown * planesAcross;
    const int64_t perLine = pitch * 2 * (planes * xRows + outputs);
    slabRows = std::clamp<int64_t>(kSegmentBytes / perLine, 1, rows);
    slabs = (rows + slabRows - 1) / slabRows;
    slabRows = (rows + slabs - 1) / slabs;
    slabs = (rows + slabRows - 1) / slabRows;
    segments = batch * slabs;
    steps = (slabRows * pitch + kPlaces - 1) / kPlaces;
    planePlaces = upTo(steps * kPlaces + down * pitch + across, kPlaces);

    sumsBytes = rowBlocks * outputBlocks * taps * kTileBytes;
    parts = sumsBytes <= (256 << 10) ? 8 : sumsBytes <= (640 << 10) ? 4 : 1;
    parts = std::min(parts, segments);
    const int64_t segmentBytes =
        planes * xRows * planePlaces * 2 + outputBlocks * steps * kTileBytes;
    chunk = std::clamp<int64_t>(
        std::clamp<int64_t>(2 * sumsBytes, 1 << 20, 4 << 20) / segmentBytes, 1,
        (segments + parts - 1) / parts);
    // An odd number of lines apart, as what a power of two is apart falls into the same sets.
    xRowBytes = (upTo(planes * chunk * planePlaces * 2, kLine) / kLine | 1) * kLine;
    xBytes = xRows * xRowBytes;
    dyBytes = outputBlocks * chunk * steps * kTileBytes;
    biasBytes = upTo(segments * outputs * static_cast<int64_t>(sizeof(float)), kLine);

    lineLength = columns + (kernelWidth - 1) / stride[1];
    lineBytes = few ? upTo(stride[1] * lineLength * 2, kLine) : 0;

    for (int64_t tap = 0; tap < taps; ++tap) {
      const int64_t i = few ? 0 : tap / kernelWidth, j = few ? 0 : tap % kernelWidth;
      const int64_t plane = i % stride[0] * planesAcross + j % stride[1];
      shifts.push_back(2 * (plane * chunk * planePlaces + i / stride[0] * pitch + j / stride[1]));
    }
    for (int64_t slab = 0; slab < slabs; ++slab) {
      xPlaces.push_back(few ? std::vector<int32_t>() : placesOfX(slab * slabRows));
      dyPlaces.push_back(placesOfDy(slab * slabRows));
    }
  }

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
  std::vector<int32_t> placesOfX(int64_t top) const {
    std::vector<int32_t> places;
    for (int64_t a = 0; a < planesDown; ++a)
      for (int64_t b = 0; b < planesAcross; ++b)
        for (int64_t q = 0; q < planePlaces; ++q) {
          const int64_t h = (top + q / pitch) * stride[0] + a - padding[0];
          const int64_t w = q % pitch * stride[1] + b - padding[1];
          const bool inside = h >= 0 && h < height && w >= 0 && w < width;
          places.push_back(inside ? static_cast<int32_t>((h * width + w) * channels) : -1);
        }
    return places;
  }

  std::vector<int32_t> placesOfDy(int64_t top) const {
    std::vector<int32_t> places;
    for (int64_t q = 0; q < steps * kPlaces; ++q) {
      const int64_t h = q / pitch, w = q % pitch;
      const bool inside = h < slabRows && top + h < rows && w < columns;
      places.push_back(inside ? static_cast<int32_t>(((top + h) * columns + w) * outputs) : -1);
    }
    return places;
  }
};

}  // namespace lrscope::tiles::avx512
