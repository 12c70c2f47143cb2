// CRC-32C (Castagnoli) of RFC 3720, appendix B.4, as processors compute it.
#pragma once
#include <cstddef>
#include <cstdint>

namespace lrscope {

// Of `bytes` after what `previous` is the checksum of; 0: of nothing.
uint32_t crc32c(const uint8_t* bytes, size_t length, uint32_t previous);

}  // namespace lrscope
