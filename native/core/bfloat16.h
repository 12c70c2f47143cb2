// bfloat16: a float without the last 16 bits of its fraction. Memory holds it; arithmetic is on
// floats.
#pragma once
#include <cstdint>
#include <cstring>

namespace lrscope {

struct Bf16 {
  uint16_t bits;
};

inline float wide(float value) { return value; }
inline float wide(Bf16 value) {
  const uint32_t word = uint32_t{value.bits} << 16;
  float result;
  std::memcpy(&result, &word, sizeof result);
  return result;
}

// As it is stored: of bfloat16 the nearest, ties to even; a NaN stays one, as rounding could carry
// its fraction into the exponent.
template <class T>
T narrow(float value);

template <>
inline float narrow<float>(float value) {
  return value;
}
template <>
inline Bf16 narrow<Bf16>(float value) {
  uint32_t word;
  std::memcpy(&word, &value, sizeof word);
  const uint32_t rounded = (word + 0x7fff + ((word >> 16) & 1)) >> 16;
  const uint32_t quiet = (word >> 16) | 0x40;
  return {static_cast<uint16_t>(value == value ? rounded : quiet)};
}

}  // namespace lrscope
