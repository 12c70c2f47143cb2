// Fuzz target: the resampler, over every combination of extents, orientation, channels and size,
// one resampler for all, as a thread has it.
#include "images/decode_resample.h"

#include <algorithm>

#include "input.h"

using lrscope::RawView;
using lrscope::Resampler;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Resampler used;
  lrscope::Input input(data, size);
  // Long and narrow images too, but no more pixels than take a few milliseconds.
  constexpr uint32_t kMostPixels = 1 << 15;
  const auto extent = [&](uint32_t most) {
    const uint32_t bits = input.number(1) % 16;
    return std::max<uint32_t>(1, std::min(most, input.number(4) & ((1u << bits) - 1)));
  };
  uint32_t width = extent(kMostPixels);
  uint32_t height = extent(kMostPixels / width);
  if (input.number(1) % 2) std::swap(width, height);
  const int channels = input.number(1) % 2 ? 3 : 1;
  const int orientation = 1 + static_cast<int>(input.number(1) % 8);
  const int side = 1 + static_cast<int>(input.number(2) % 80);
  const int wanted = input.number(1) % 2 ? 3 : 1;

  std::vector<uint8_t> pixels(static_cast<size_t>(width) * height * channels);
  const size_t given = std::min(pixels.size(), input.left());
  for (size_t i = 0; i < pixels.size(); ++i)
    pixels[i] = given == 0 ? static_cast<uint8_t>(7 * i) : input.rest()[i % given];
  const RawView view{pixels.data(), static_cast<int>(width), static_cast<int>(height), channels};
  std::vector<uint8_t> target(static_cast<size_t>(side) * side * wanted);
  used.run(view, orientation, target.data(), side, wanted);
  std::vector<uint8_t> expected(target.size());
  Resampler().run(view, orientation, expected.data(), side, wanted);
  if (target != expected) lrscope::fail("an image's pixels depend on the images before it");
  const auto [low, high] = std::minmax_element(pixels.begin(), pixels.end());
  for (const uint8_t value : target)
    if (value < *low || value > *high)
      lrscope::fail("a weighted mean lies outside the values that it is made of");
  return 0;
}
