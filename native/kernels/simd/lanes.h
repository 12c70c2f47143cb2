// Loops over activations, eight or sixteen neighbouring values at a time, in every layout of
// ChannelView. Values are floats; memory may hold bfloat16, which io.load widens and io.store
// rounds.
#pragma once
#include <omp.h>

#include <cstring>
#include <initializer_list>
#include <type_traits>
#ifdef __AVX__
#include <immintrin.h>
#endif

#include "engine/kernel.h"

// Each width of vector has a namespace of its own, so that a file that is compiled for AVX-512 and
// defines LRSCOPE_AVX512 may be linked beside the others.
#ifdef LRSCOPE_AVX512
#ifndef __clang__
// GCC 12's intrinsics start from a vector that they leave unset, and warn of it.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#define LRSCOPE_WIDTH avx512
#else
#define LRSCOPE_WIDTH avx2
#endif

namespace lrscope {
inline namespace LRSCOPE_WIDTH {

#ifdef LRSCOPE_AVX512
constexpr int kVec = 16;
#else
constexpr int kVec = 8;
#endif

// The compiler's vector extension: lane-wise arithmetic, comparisons give all-ones masks.
using Vec = float __attribute__((vector_size(4 * kVec)));
using Mask = int32_t __attribute__((vector_size(4 * kVec)));
using Bytes = uint8_t __attribute__((vector_size(kVec)));
using Halves = uint16_t __attribute__((vector_size(2 * kVec)));
using Words = uint32_t __attribute__((vector_size(4 * kVec)));

inline Vec select(Mask where, Vec value) { return (Vec)((Mask)value & where); }

#ifdef LRSCOPE_AVX512

// A bit a lane, and back.
using LaneBits = uint16_t;
inline LaneBits bitsOf(Mask where) { return _mm512_movepi32_mask((__m512i)where); }
inline Mask maskOf(LaneBits bits) { return (Mask)_mm512_movm_epi32(bits); }

// Lanes as bytes, and back.
inline Bytes narrowed(Mask v) { return (Bytes)_mm512_cvtepi32_epi8((__m512i)v); }
inline Mask widened(Bytes bytes) { return (Mask)_mm512_cvtepu8_epi32((__m128i)bytes); }

inline Vec widened(Halves halves) {
  return (Vec)_mm512_slli_epi32(_mm512_cvtepu16_epi32((__m256i)halves), 16);
}
// narrow<Bf16> of bfloat16.h, lane by lane.
inline Halves rounded(Vec v) {
  const __m512i words = (__m512i)v, high = _mm512_srli_epi32(words, 16);
  const __m512i odd = _mm512_and_si512(high, _mm512_set1_epi32(1));
  const __m512i half = _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff));
  const __m512i nearest = _mm512_srli_epi32(_mm512_add_epi32(words, half), 16);
  const __mmask16 nan = _mm512_cmp_ps_mask((__m512)v, (__m512)v, _CMP_UNORD_Q);
  return (Halves)_mm512_cvtepi32_epi16(
      _mm512_mask_or_epi32(nearest, nan, high, _mm512_set1_epi32(0x40)));
}

#else

using LaneBits = uint8_t;
inline LaneBits bitsOf(Mask where) {
#ifdef __AVX__
  return static_cast<uint8_t>(_mm256_movemask_ps((__m256)where));
#else
  uint8_t bits = 0;
  for (int l = 0; l < kVec; ++l) bits |= static_cast<uint8_t>((where[l] & 1) << l);
  return bits;
#endif
}
inline Mask maskOf(LaneBits bits) {
  constexpr Mask kBits = {1, 2, 4, 8, 16, 32, 64, 128};
  return ((Mask{} + int32_t{bits}) & kBits) != 0;
}

// GCC 12 makes forty scalar instructions of a convertvector.
inline Bytes narrowed(Mask v) {
#ifdef __AVX2__
  const __m256i all = (__m256i)v;
  const __m128i words =
      _mm_packus_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
  const int64_t bytes = _mm_cvtsi128_si64(_mm_packus_epi16(words, words));
  return (Bytes)bytes;
#else
  return __builtin_convertvector(v, Bytes);
#endif
}
inline Mask widened(Bytes bytes) {
#ifdef __AVX2__
  return (Mask)_mm256_cvtepu8_epi32(_mm_cvtsi64_si128((int64_t)bytes));
#else
  return __builtin_convertvector(bytes, Mask);
#endif
}

inline Vec widened(Halves halves) {
#ifdef __AVX2__
  return (Vec)_mm256_slli_epi32(_mm256_cvtepu16_epi32((__m128i)halves), 16);
#else
  return (Vec)(__builtin_convertvector(halves, Words) << 16);
#endif
}
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

#endif

// A vector of values; at the ragged end of channels-last or plain rows, the first few of one.
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
    const Bytes bytes = narrowed(v);
    std::memcpy(to, &bytes, sizeof bytes);
  }
  Mask loadBytes(const uint8_t* from) const {
    Bytes bytes;
    std::memcpy(&bytes, from, sizeof bytes);
    return widened(bytes);
  }
};

#ifdef LRSCOPE_AVX512

struct Part {
  int count;
  __mmask16 lanes() const { return static_cast<__mmask16>((1u << count) - 1); }
  Vec load(const float* from) const { return (Vec)_mm512_maskz_loadu_ps(lanes(), from); }
  Vec load(const Bf16* from) const {
    return widened((Halves)_mm256_maskz_loadu_epi16(lanes(), from));
  }
  void store(float* to, Vec v) const { _mm512_mask_storeu_ps(to, lanes(), (__m512)v); }
  void store(Bf16* to, Vec v) const { _mm256_mask_storeu_epi16(to, lanes(), (__m256i)rounded(v)); }
  void storeBytes(uint8_t* to, Mask v) const {
    _mm_mask_storeu_epi8(to, lanes(), (__m128i)narrowed(v));
  }
  Mask loadBytes(const uint8_t* from) const {
    return widened((Bytes)_mm_maskz_loadu_epi8(lanes(), from));
  }
};

#else

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

#endif

// Whether a result is better written past the caches: larger than they are, it would only push
// out what is needed sooner, and every line of it would be read before it is overwritten. Where its
// vectors are aligned.
template <class T>
bool streams(const ChannelView& v) {
  constexpr int64_t kCached = int64_t{16} << 20;
  const bool aligned = v.padded || (!v.plain && v.channels % kVec == 0);
  return aligned && v.batch * v.batchStride * static_cast<int64_t>(sizeof(T)) > kCached;
}

// The same for a result that may lie over one of the operands: those are in the caches already.
template <class T>
bool streams(const ChannelView& v, const T* to, std::initializer_list<const T*> from) {
  for (const T* operand : from)
    if (operand == to) return false;
  return streams<T>(v);
}

#ifdef LRSCOPE_AVX512
inline void streamTo(float* to, Vec v) { _mm512_stream_ps(to, (__m512)v); }
inline void streamTo(Bf16* to, Vec v) {
  _mm256_stream_si256(reinterpret_cast<__m256i*>(to), (__m256i)rounded(v));
}
#elif defined(__AVX__)
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

// The view that loops take of a tensor: as wide a group of channels-last rows as there is, so that
// whole cache lines are used at once.
constexpr int kMostLanes = 32;
inline ChannelView loopView(const Tensor& tensor) {
  ChannelView v = channelView(tensor);
  if (v.plain) {
    v.lanes = v.rowStride = kVec;
  } else if (!v.padded) {
    v.lanes = kMostLanes;
    while (v.lanes > kVec && v.channels % v.lanes != 0) v.lanes /= 2;
    v.groups = (v.channels + v.lanes - 1) / v.lanes;
    v.groupStride = v.lanes;
  }
  return v;
}

// Calls work(io, vecs) with a compile-time count of vectors, that are the lanes of group g of a
// layout that is not plain.
template <class Work>
void withVectors(const ChannelView& v, int64_t g, Work work) {
  const std::integral_constant<int, 1> one;
  if (v.lanes == 4 * kVec)
    work(Whole{}, std::integral_constant<int, 4>{});
  else if (v.lanes == 2 * kVec)
    work(Whole{}, std::integral_constant<int, 2>{});
  else if (v.lanesOf(g) == kVec)
    work(Whole{}, one);
  else
    work(Part{static_cast<int>(v.lanesOf(g))}, one);
}

// Calls work(io, vecs, offset, rows): `rows` rows of `vecs` vectors, that together are image b of
// group g.
template <class Work>
void forSpans(const ChannelView& v, int64_t b, int64_t g, Work work) {
  const int64_t offset = b * v.batchStride + g * v.groupStride;
  const std::integral_constant<int, 1> one;
  if (v.plain) {
    const int64_t rows = v.pixels() / kVec;
    const int rest = static_cast<int>(v.pixels() % kVec);
    if (rows > 0) work(Whole{}, one, offset, rows);
    if (rest > 0) work(Part{rest}, one, offset + rows * kVec, int64_t{1});
  } else {
    withVectors(v, g, [&](auto io, auto vecs) { work(io, vecs, offset, v.pixels()); });
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
  float value[kMostLanes] = {};

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

}  // namespace LRSCOPE_WIDTH
}  // namespace lrscope
