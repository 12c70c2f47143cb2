// The plan is made once, as a program is prepared: nothing here is compiled for AVX-512.
#include "kernels/tiles/plan.h"

#include <algorithm>

namespace lrscope::tiles {

Plan::Plan(const Problem& p)
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
  const int64_t segmentBytes = planes * xRows * planePlaces * 2 + outputBlocks * steps * kTileBytes;
  chunk = std::clamp<int64_t>(std::clamp<int64_t>(2 * sumsBytes, 1 << 20, 4 << 20) / segmentBytes,
                              1, (segments + parts - 1) / parts);
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

std::vector<int32_t> Plan::placesOfX(int64_t top) const {
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

std::vector<int32_t> Plan::placesOfDy(int64_t top) const {
  std::vector<int32_t> places;
  for (int64_t q = 0; q < steps * kPlaces; ++q) {
    const int64_t h = q / pitch, w = q % pitch;
    const bool inside = h < slabRows && top + h < rows && w < columns;
    places.push_back(inside ? static_cast<int32_t>(((top + h) * columns + w) * outputs) : -1);
  }
  return places;
}

}  // namespace lrscope::tiles
