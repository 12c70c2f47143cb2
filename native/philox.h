// Philox4x32-10 (Salmon et al., SC 2011, section 3.3); src/core/philox.ts is the same function,
// and src/core/random.ts has the table of streams that the enumeration repeats.
#pragma once
#include <array>
#include <cstdint>

namespace lrscope {

enum Stream : uint32_t {
  kOrder = 1,
  kSplit = 2,
  kAugmentation = 3,
  kDropout = 4,
  kInitialise = 5,
  kSynthetic = 6,
};

using Words4 = std::array<uint32_t, 4>;

inline Words4 philox(Words4 c, uint32_t key0, uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = static_cast<uint64_t>(0xd2511f53u) * c[0];
    const uint64_t product1 = static_cast<uint64_t>(0xcd9e8d57u) * c[2];
    c = {static_cast<uint32_t>(product1 >> 32) ^ c[1] ^ key0, static_cast<uint32_t>(product1),
         static_cast<uint32_t>(product0 >> 32) ^ c[3] ^ key1, static_cast<uint32_t>(product0)};
    key0 += 0x9e3779b9u;
    key1 += 0xbb67ae85u;
  }
  return c;
}

// u * 2^-32 is uniform in [0, 1).
inline double uniform(uint32_t word) { return word * (1.0 / 4294967296.0); }

}  // namespace lrscope
