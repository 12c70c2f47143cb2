#include "images/crc32c.h"

#include <array>
#include <cstring>

#if defined(__SSE4_2__)
#include <nmmintrin.h>
#elif defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#endif

namespace lrscope {

namespace {

constexpr std::array<uint32_t, 256> makeTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = value & 1 ? (value >> 1) ^ 0x82f63b78 : value >> 1;
    table[byte] = value;
  }
  return table;
}

constexpr std::array<uint32_t, 256> kTable = makeTable();

}  // namespace

uint32_t crc32c(const uint8_t* bytes, size_t length, uint32_t previous) {
  uint32_t crc = ~previous;
#if defined(__SSE4_2__) || defined(__ARM_FEATURE_CRC32)
  for (; length >= 8; length -= 8, bytes += 8) {
    uint64_t word;
    std::memcpy(&word, bytes, 8);
#if defined(__SSE4_2__)
    crc = static_cast<uint32_t>(_mm_crc32_u64(crc, word));
#else
    crc = __crc32cd(crc, word);
#endif
  }
#endif
  // The rest; on other processors, all of it.
  for (; length > 0; --length) crc = kTable[(crc ^ *bytes++) & 0xff] ^ (crc >> 8);
  return ~crc;
}

}  // namespace lrscope
