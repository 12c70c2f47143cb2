// EXIF orientation of a JPEG file.
#pragma once
#include <cstddef>
#include <cstdint>

namespace lrscope {

// 1 .. 8 as in EXIF 2.3, tag 0x0112; 1 (as stored) where the file does not say, or says nonsense.
int exifOrientation(const uint8_t* file, size_t bytes);

}  // namespace lrscope
