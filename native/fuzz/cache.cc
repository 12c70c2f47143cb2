// Fuzz target: a file of decoded images against what its header is said to be: mapped, summed, and
// read by the loader as stored and augmented.
#include "images/cache.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "images/loader.h"
#include "input.h"

using lrscope::Augmentation;
using lrscope::ImageCache;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static lrscope::InputFile file;
  lrscope::Input input(data, size);
  const size_t offset = input.number(1) % 4 == 0 ? input.number(4) : input.number(2) % 8192;
  const size_t count = input.number(1) % 4 == 0 ? input.number(4) & 0x7fffffff : input.number(1);
  // In this order, whatever the compiler: an input means the same to all.
  const uint64_t drawn = input.number(2);
  const int side = 1 + static_cast<int>(drawn % (input.number(1) % 4 == 0 ? 8192 : 24));
  const int channels = input.number(1) % 2 ? 3 : 1;
  const uint32_t seed = input.number(4);
  const std::string& path = file.write(input.rest(), input.left());

  std::shared_ptr<ImageCache> cache;
  try {
    cache = std::make_shared<ImageCache>(path, offset, count, side, channels);
  } catch (const std::runtime_error&) {
    return 0;
  }
  if (count == 0) return 0;
  std::vector<int32_t> indices(std::min<size_t>(count, 64));
  std::iota(indices.begin(), indices.end(), static_cast<int32_t>(count - indices.size()));
  const auto statistics = lrscope::pixelStatistics(*cache, indices, 2);
  for (const double value : statistics.mean)
    if (!(value >= 0 && value <= 1)) lrscope::fail("a mean of pixels lies outside 0 .. 1");
  const lrscope::Loader loader(cache, std::vector<int32_t>(count), statistics.mean, statistics.std,
                               seed % 2 ? Augmentation::kPhotos : Augmentation::kDigits,
                               [](uint64_t) {});
  std::vector<uint8_t> image(cache->imageBytes());
  for (const int32_t index : indices) {
    loader.image(index, std::nullopt, image.data());
    loader.image(index, lrscope::EpochKey{seed, 1}, image.data());
  }
  return 0;
}
