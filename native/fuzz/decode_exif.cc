// Fuzz target: the orientation of a JPEG file, from the file as it is, and from the input as an
// EXIF segment's contents.
#include "images/decode_exif.h"

#include "input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // In memory of their exact length, so that a read behind them is seen.
  std::vector<uint8_t> file(data, data + size);
  file.shrink_to_fit();
  const size_t contents = std::min<size_t>(size, 0xffff - 8);
  std::vector<uint8_t> segment = {0xff, 0xd8, 0xff, 0xe1};
  segment.push_back(static_cast<uint8_t>((contents + 8) >> 8));
  segment.push_back(static_cast<uint8_t>(contents + 8));
  for (const char c : {'E', 'x', 'i', 'f', '\0', '\0'}) segment.push_back(c);
  segment.insert(segment.end(), data, data + contents);
  segment.shrink_to_fit();
  for (const auto& bytes : {file, segment}) {
    const int orientation = lrscope::exifOrientation(bytes.data(), bytes.size());
    if (orientation < 1 || orientation > 8) lrscope::fail("an orientation lies outside 1 .. 8");
  }
  return 0;
}
