// Philox4x32-10 (Salmon et al., SC 2011, section 3.3); src/core/philox.ts is the same function,
// and src/core/random.ts has the table of streams that the enumeration repeats.
#pragma once
#include <array>
#include <cstdint>
#ifdef __AVX2__
#include <immintrin.h>
#endif

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

#ifdef __AVX2__
// The words of four counters that differ in their first word, c[0] to c[0] + 3, at once: sixteen
// words in the order that philox gives them one counter after the other. A lane of 64 bits holds a
// counter's word in its lower half; what is in the upper half does not matter.
struct Words16 {
  __m256i first, second;  // eight words each
};

inline Words16 philoxFour(Words4 counter, uint32_t key0, uint32_t key1) {
  const auto all = [](uint32_t word) { return _mm256_set1_epi64x(word); };
  __m256i c0 = _mm256_add_epi32(all(counter[0]), _mm256_setr_epi64x(0, 1, 2, 3));
  __m256i c1 = all(counter[1]), c2 = all(counter[2]), c3 = all(counter[3]);
  for (int round = 0; round < 10; ++round) {
    const __m256i product0 = _mm256_mul_epu32(c0, all(0xd2511f53u));
    const __m256i product1 = _mm256_mul_epu32(c2, all(0xcd9e8d57u));
    c0 = _mm256_xor_si256(_mm256_srli_epi64(product1, 32), _mm256_xor_si256(c1, all(key0)));
    c1 = product1;
    c2 = _mm256_xor_si256(_mm256_srli_epi64(product0, 32), _mm256_xor_si256(c3, all(key1)));
    c3 = product0;
    key0 += 0x9e3779b9u;
    key1 += 0xbb67ae85u;
  }
  constexpr int kOdd = 0b10101010;
  const __m256i c01 = _mm256_blend_epi32(c0, _mm256_slli_epi64(c1, 32), kOdd);
  const __m256i c23 = _mm256_blend_epi32(c2, _mm256_slli_epi64(c3, 32), kOdd);
  const __m256i even = _mm256_unpacklo_epi64(c01, c23), odd = _mm256_unpackhi_epi64(c01, c23);
  return {_mm256_permute2x128_si256(even, odd, 0x20), _mm256_permute2x128_si256(even, odd, 0x31)};
}
#endif

// u * 2^-32 is uniform in [0, 1).
inline double uniform(uint32_t word) { return word * (1.0 / 4294967296.0); }

}  // namespace lrscope
