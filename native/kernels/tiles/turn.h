// Activations turned over: channels-last lines of bf16 become rows of places (x), and tiles of
// pairs of places (dy), as the products of tiles read them.
#pragma once
#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "kernels/tiles/plan.h"

#ifndef __clang__
// GCC 12's intrinsics start from a vector that they leave unset, and warn of it.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace lrscope::tiles::avx512 {

// 16 channels of a place; zeros where there is none.
inline __m512i channelsAt(const Bf16* from, int32_t place) {
  if (place < 0) return _mm512_setzero_si512();
  return _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + place)));
}

// Of two neighbouring places, a pair for each of 16 channels.
inline __m512i pairsAt(const Bf16* from, const int32_t* places) {
  return _mm512_or_si512(channelsAt(from, places[0]),
                         _mm512_slli_epi32(channelsAt(from, places[1]), 16));
}

// 16 vectors of 16 words, rows for columns.
inline void transpose(__m512i (&v)[16]) {
  __m512i t[16];
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(v[i], v[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(v[i], v[i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    v[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
    v[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    v[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
    v[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    t[i] = _mm512_shuffle_i32x4(v[i], v[i + 4], 0x88);
    t[i + 4] = _mm512_shuffle_i32x4(v[i], v[i + 4], 0xdd);
    t[i + 8] = _mm512_shuffle_i32x4(v[i + 8], v[i + 12], 0x88);
    t[i + 12] = _mm512_shuffle_i32x4(v[i + 8], v[i + 12], 0xdd);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    v[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
    v[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd);
    v[i + 4] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0x88);
    v[i + 12] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0xdd);
  }
}

// dy of segments [from, to): for each 16 outputs, of each segment its tiles.
template <class Crew>
void turnDy(const Plan& p, const Crew& crew, const Bf16* dy, int64_t from, int64_t to, char* tiles,
            float* biases) {
  const int64_t segments = to - from;
  crew.share(p.outputBlocks * segments, [&](int64_t i) {
    const int64_t block = i / segments, segment = from + i % segments;
    const Bf16* image = dy + segment / p.slabs * p.rows * p.columns * p.outputs + block * kLanes;
    const int32_t* places = p.dyPlaces[segment % p.slabs].data();
    char* tile = tiles + (block * p.chunk + i % segments) * p.steps * kTileBytes;
    const __m512i high = _mm512_set1_epi32(static_cast<int>(0xffff0000));
    __m512 sum = _mm512_setzero_ps();
    for (int64_t at = 0; at < p.steps * kPlaces; at += 2, tile += kLine) {
      const __m512i pairs = pairsAt(image, places + at);
      _mm512_store_si512(tile, pairs);
      if (biases)
        sum = _mm512_add_ps(sum, _mm512_add_ps(_mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16)),
                                               _mm512_castsi512_ps(_mm512_and_si512(pairs, high))));
    }
    if (biases) _mm512_storeu_ps(biases + segment * p.outputs + block * kLanes, sum);
  });
}

// Rows of x, a channel each: of every plane, each segment's places.
template <class Crew>
void turnChannels(const Plan& p, const Crew& crew, const Bf16* x, int64_t from, int64_t to,
                  char* rows) {
  const int64_t segments = to - from, planes = p.planesDown * p.planesAcross;
  crew.share(segments * planes * p.rowBlocks, [&](int64_t i) {
    const int64_t segment = from + i / p.rowBlocks / planes, block = i % p.rowBlocks;
    const int64_t plane = i / p.rowBlocks % planes;
    const Bf16* image = x + segment / p.slabs * p.height * p.width * p.channels + block * kLanes;
    const int32_t* places = p.xPlaces[segment % p.slabs].data() + plane * p.planePlaces;
    char* row = rows + block * kLanes * p.xRowBytes +
                2 * (plane * p.chunk + segment - from) * p.planePlaces;
    for (int64_t at = 0; at < p.planePlaces; at += kPlaces, row += kLine) {
      __m512i v[16];
#pragma GCC unroll 16
      for (int64_t r = 0; r < 16; ++r) v[r] = pairsAt(image, places + at + 2 * r);
      transpose(v);
#pragma GCC unroll 16
      for (int64_t r = 0; r < 16; ++r) _mm512_storeu_si512(row + r * p.xRowBytes, v[r]);
    }
  });
}

// Rows of x, a channel and tap each. A line of the image is taken apart by the remainders of the
// stride; each tap's row of places is then a piece of that.
template <class Crew>
void turnTaps(const Plan& p, const Crew& crew, const Bf16* x, int64_t from, int64_t to, char* rows,
              Bf16* parts) {
  const int64_t lines = (p.slabRows - 1) * p.stride[0] + p.kernelHeight;
  const int64_t length = p.lineLength;
  crew.share((to - from) * lines * p.channels, [&](int64_t i) {
    const int64_t c = i % p.channels, line = i / p.channels % lines;
    const int64_t segment = from + i / p.channels / lines;
    const int64_t top = segment % p.slabs * p.slabRows;
    const int64_t h = top * p.stride[0] + line - p.padding[0];
    const bool inside = h >= 0 && h < p.height;
    const Bf16* image =
        x + (segment / p.slabs * p.height + (inside ? h : 0)) * p.width * p.channels + c;
    std::fill_n(parts, p.stride[1] * length, Bf16{0});
    for (int64_t b = 0; inside && b < p.stride[1]; ++b) {
      const int64_t left = p.padding[1] - b;  // w = k * stride - left
      const int64_t begin = left > 0 ? (left + p.stride[1] - 1) / p.stride[1] : 0;
      const int64_t last = p.width - 1 + left;
      const int64_t end = last < 0 ? 0 : std::min(length, last / p.stride[1] + 1);
      const Bf16* at = image + (begin * p.stride[1] - left) * p.channels;
      for (int64_t k = begin; k < end; ++k, at += p.stride[1] * p.channels)
        parts[b * length + k] = *at;
    }
    for (int64_t kh = line % p.stride[0]; kh < p.kernelHeight; kh += p.stride[0]) {
      const int64_t row = (line - kh) / p.stride[0];
      if (line < kh || row >= p.slabRows || top + row >= p.rows) continue;
      for (int64_t kw = 0; kw < p.kernelWidth; ++kw)
        std::memcpy(rows + ((c * p.kernelHeight + kh) * p.kernelWidth + kw) * p.xRowBytes +
                        2 * ((segment - from) * p.planePlaces + row * p.pitch),
                    &parts[kw % p.stride[1] * length + kw / p.stride[1]], p.columns * sizeof(Bf16));
    }
  });
}

template <class Crew>
void turnX(const Plan& p, const Crew& crew, const Bf16* x, int64_t from, int64_t to, char* rows,
           Bf16* line) {
  if (p.few)
    turnTaps(p, crew, x, from, to, rows, line);
  else
    turnChannels(p, crew, x, from, to, rows);
}

}  // namespace lrscope::tiles::avx512
