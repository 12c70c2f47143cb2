// Loops over activations, eight neighbouring values at a time, in every layout of ChannelView.
// Values are floats; memory may hold bfloat16, which io.load widens and io.store rounds.
#pragma once
#include <omp.h>

#include <cstring>
#include <initializer_list>
#include <type_traits>
#ifdef __AVX__
#include <immintrin.h>
#endif

#include "engine/kernel.h"

namespace lrscope {

// The compiler's vector extension: lane-wise arithmetic, comparisons give all-ones masks.
using Vec = float __attribute__((vector_size(32)));
using Mask = int32_t __attribute__((vector_size(32)));
using Bytes8 = uint8_t __attribute__((vector_size(8)));
constexpr int kVec = 8;

inline Vec select(Mask where, Vec value) { return (Vec)((Mask)value & where); }

// A bit a lane, and back.
inline uint8_t bitsOf(Mask where) {
#ifdef __AVX__
  return static_cast<uint8_t>(_mm256_movemask_ps((__m256)where));
#else
  uint8_t bits = 0;
  for (int l = 0; l < kVec; ++l) bits |= static_cast<uint8_t>((where[l] & 1) << l);
  return bits;
#endif
}
inline Mask maskOf(uint8_t bits) {
  constexpr Mask kBits = {1, 2, 4, 8, 16, 32, 64, 128};
  return ((Mask{} + int32_t{bits}) & kBits) != 0;
}

// Eight lanes as eight bytes, and back; GCC 12 makes forty scalar instructions of a convertvector.
inline Bytes8 narrowed(Mask v) {
#ifdef __AVX2__
  const __m256i all = (__m256i)v;
  const __m128i words =
      _mm_packus_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
  const int64_t bytes = _mm_cvtsi128_si64(_mm_packus_epi16(words, words));
  return (Bytes8)bytes;
#else
  return __builtin_convertvector(v, Bytes8);
#endif
}
inline Mask widened(Bytes8 bytes) {
#ifdef __AVX2__
  return (Mask)_mm256_cvtepu8_epi32(_mm_cvtsi64_si128((int64_t)bytes));
#else
  return __builtin_convertvector(bytes, Mask);
#endif
}

using Halves = uint16_t __attribute__((vector_size(16)));
using Words = uint32_t __attribute__((vector_size(32)));

inline Vec widened(Halves halves) {
#ifdef __AVX2__
  return (Vec)_mm256_slli_epi32(_mm256_cvtepu16_epi32((__m128i)halves), 16);
#else
  return (Vec)(__builtin_convertvector(halves, Words) << 16);
#endif
}
// narrow<Bf16> of bfloat16.h, lane by lane.
inline Halves rounded(Vec v) {
  const Words words = (Words)v;
  const Words nearest = (words + 0x7fff + ((words >> 16) & 1)) >> 16;
  const Words quiet = (words >> 16) | 0x40;
  const Words halves = v == v ? nearest : quiet;
#ifdef __AVX2__
  const __m256i all = (__m256i)halves;
  return (Halves)_mm_packus_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
#else
  return __builtin_convertvector(halves, Halves);
#endif
}

// Eight values; at the ragged end of channels-last or plain rows, the first few of eight.
struct Whole {
  Vec load(const float* from) const {
    Vec v;
    std::memcpy(&v, from, sizeof v);
    return v;
  }
  Vec load(const Bf16* from) const {
    Halves halves;
    std::memcpy(&halves, from, sizeof halves);
    return widened(halves);
  }
  void store(float* to, Vec v) const { std::memcpy(to, &v, sizeof v); }
  void store(Bf16* to, Vec v) const {
    const Halves halves = rounded(v);
    std::memcpy(to, &halves, sizeof halves);
  }
  void storeBytes(uint8_t* to, Mask v) const {
    const Bytes8 bytes = narrowed(v);
    std::memcpy(to, &bytes, sizeof bytes);
  }
  Mask loadBytes(const uint8_t* from) const {
    Bytes8 bytes;
    std::memcpy(&bytes, from, sizeof bytes);
    return widened(bytes);
  }
};

struct Part {
  int count;
  template <class T>
  Vec load(const T* from) const {
    Vec v{};
    for (int l = 0; l < count; ++l) v[l] = wide(from[l]);
    return v;
  }
  template <class T>
  void store(T* to, Vec v) const {
    for (int l = 0; l < count; ++l) to[l] = narrow<T>(v[l]);
  }
  void storeBytes(uint8_t* to, Mask v) const {
    for (int l = 0; l < count; ++l) to[l] = static_cast<uint8_t>(v[l]);
  }
  Mask loadBytes(const uint8_t* from) const {
    Mask v{};
    for (int l = 0; l < count; ++l) v[l] = from[l];
    return v;
  }
};

// Whether a result is better written past the caches: larger than they are, it would only push
// out what is needed sooner, and every line of it would be read before it is overwritten. Blocked
// layouts alone have their vectors aligned.
template <class T>
bool streams(const ChannelView& v) {
  constexpr int64_t kCached = int64_t{16} << 20;
  return v.padded && v.batch * v.batchStride * static_cast<int64_t>(sizeof(T)) > kCached;
}

// The same for a result that may lie over one of the operands: those are in the caches already.
template <class T>
bool streams(const ChannelView& v, const T* to, std::initializer_list<const T*> from) {
  for (const T* operand : from)
    if (operand == to) return false;
  return streams<T>(v);
}

#ifdef __AVX__
inline void streamTo(float* to, Vec v) { _mm256_stream_ps(to, (__m256)v); }
inline void streamTo(Bf16* to, Vec v) {
  _mm_stream_si128(reinterpret_cast<__m128i*>(to), (__m128i)rounded(v));
}
#endif

// io.store, past the caches where `stream` says so.
template <bool stream, class Io, class T>
inline void put(Io io, T* to, Vec v) {
#ifdef __AVX__
  if constexpr (stream && std::is_same_v<Io, Whole>) {
    streamTo(to, v);
    return;
  }
#endif
  io.store(to, v);
}

// After a thread's last put: what it streamed becomes visible to the others.
inline void settle() {
#ifdef __AVX__
  _mm_sfence();
#endif
}

// Calls work(io, vecs, offset, rows): `rows` rows of `vecs` (a compile-time 1 or 2) vectors, that
// together are image b of group g.
template <class Work>
void forSpans(const ChannelView& v, int64_t b, int64_t g, Work work) {
  const int64_t offset = b * v.batchStride + g * v.groupStride;
  const std::integral_constant<int, 1> one;
  if (v.plain) {
    const int64_t rows = v.pixels() / kVec;
    const int rest = static_cast<int>(v.pixels() % kVec);
    if (rows > 0) work(Whole{}, one, offset, rows);
    if (rest > 0) work(Part{rest}, one, offset + rows * kVec, int64_t{1});
  } else if (v.lanes == 2 * kVec) {
    work(Whole{}, std::integral_constant<int, 2>{}, offset, v.pixels());
  } else if (v.lanesOf(g) == kVec) {
    work(Whole{}, one, offset, v.pixels());
  } else {
    work(Part{static_cast<int>(v.lanesOf(g))}, one, offset, v.pixels());
  }
}

// Calls work(b, g) for every image and group: each thread has a fixed range of images, and walks
// it forwards or backwards. A pass that begins where the one before it ended finds part of the
// tensor still in cache.
enum class Walk { forwards, backwards };

template <class Work>
void forImages(const ChannelView& v, Walk walk, Work work) {
  const int64_t tasks = v.batch * v.groups;
#pragma omp parallel
  {
    const int64_t threads = omp_get_num_threads(), me = omp_get_thread_num();
    const int64_t from = tasks * me / threads, to = tasks * (me + 1) / threads;
    for (int64_t i = from; i < to; ++i) {
      const int64_t task = walk == Walk::forwards ? i : from + to - 1 - i;
      work(task / v.groups, task % v.groups);
    }
    settle();
  }
}

// A value per channel, spread over the lanes of group g; lanes without a channel get 0.
struct alignas(64) LaneValues {
  float value[16] = {};

  template <class ValueOf>
  static LaneValues of(const ChannelView& v, int64_t g, ValueOf valueOf) {
    LaneValues lanes;
    for (int l = 0; l < v.lanes; ++l) {
      if (v.plain)
        lanes.value[l] = valueOf(g);
      else if (l < v.channelsOf(g))
        lanes.value[l] = valueOf(g * v.lanes + l);
    }
    return lanes;
  }
  Vec vec(int i) const { return Whole{}.load(value + i * kVec); }
};

inline bool hasView(const std::string& layout) {
  return layout == "abcd" || layout == "acdb" || layout == "aBcd8b" || layout == "aBcd16b" ||
         layout == "ab";
}

// The layout that an own kernel takes its activation in: as it comes, where it can.
inline std::string viewLayout(const Tensor& x) {
  if (x.shape.size() == 2) return "ab";
  if (x.shape.size() != 4)
    throw Refusal("expects a tensor (B,C,H,W); got shape " + formatShape(x.shape));
  return hasView(x.layout) ? x.layout : activationLayout(x.dim(1), x.dtype);
}

}  // namespace lrscope
