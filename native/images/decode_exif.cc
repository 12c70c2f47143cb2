#include "images/decode_exif.h"

#include <cstring>

namespace lrscope {

namespace {

// A TIFF structure in either byte order; reads past its end give 0.
struct Tiff {
  const uint8_t* bytes;
  size_t length;
  bool little;

  uint32_t u16(size_t at) const {
    if (length < 2 || at > length - 2) return 0;
    return little ? bytes[at] | bytes[at + 1] << 8 : bytes[at] << 8 | bytes[at + 1];
  }
  uint32_t u32(size_t at) const {
    return little ? u16(at) | u16(at + 2) << 16 : u16(at) << 16 | u16(at + 2);
  }
};

int orientationOfTiff(const uint8_t* bytes, size_t length) {
  if (length < 8) return 1;
  const bool little = bytes[0] == 'I' && bytes[1] == 'I';
  if (!little && !(bytes[0] == 'M' && bytes[1] == 'M')) return 1;
  const Tiff tiff{bytes, length, little};
  const size_t directory = tiff.u32(4);
  const uint32_t entries = tiff.u16(directory);
  for (uint32_t i = 0; i < entries; ++i) {
    const size_t entry = directory + 2 + size_t{12} * i;
    if (entry + 12 > length) break;
    if (tiff.u16(entry) != 0x0112) continue;
    const uint32_t value =
        tiff.u16(entry + 8);  // a SHORT lies in the first half of the value field
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

}  // namespace

int exifOrientation(const uint8_t* file, size_t bytes) {
  size_t at = 2;  // behind the start-of-image marker
  while (at + 4 <= bytes && file[at] == 0xff) {
    const uint8_t marker = file[at + 1];
    if (marker == 0xff) {  // fill byte
      ++at;
      continue;
    }
    if (marker == 0xda || marker == 0xd9) break;  // image data: no metadata behind it
    const size_t length = static_cast<size_t>(file[at + 2]) << 8 | file[at + 3];
    if (length < 2 || at + 2 + length > bytes) break;
    if (marker == 0xe1 && length >= 8 && std::memcmp(file + at + 4, "Exif\0\0", 6) == 0)
      return orientationOfTiff(file + at + 10, length - 8);
    at += 2 + length;
  }
  return 1;
}

}  // namespace lrscope
