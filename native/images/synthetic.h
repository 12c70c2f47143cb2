// The synthetic source: small coloured shapes, drawn from random numbers alone.
#pragma once
#include <cstdint>

namespace lrscope {

constexpr int kSyntheticClasses = 4;  // disc, square, ring, bars

// Image `image` (of class `label`), (size, size, 3) u8. Pure function of its arguments.
void synthesise(uint8_t* pixels, int size, int label, uint32_t image, uint32_t seed);

}  // namespace lrscope
