// A convolution's weights in float32, in tiles of 16 by 16, rounded to bf16 and woven in pairs as
// products by tiles want them: two inputs, or two outputs, beside each other.
#pragma once
#include <omp.h>

#include "kernels/tiles/plan.h"
#include "kernels/tiles/turn.h"

namespace lrscope::tiles::avx512 {

// Where a tile's elements go. `woven`: pairs are of inputs, which are rows of the source.
struct Weave {
  bool woven;
  int64_t step;                 // from one pair of the paired dimension to the next
  std::vector<int64_t> places;  // of each tile, in the order of the source

  // Refuses nothing: empty where the layouts are others.
  Weave(const Tensor& from, const Tensor& to) : woven(false), step(0) {
    if (from.layout != "ABcd16b16a" || from.dtype != DType::f32 || to.dtype != DType::bf16) return;
    const LayoutMap source(from.layout, from.shape), target(to.layout, to.shape);
    if (source.paddedElements() != from.elements() || target.paddedElements() != to.elements())
      return;
    woven = target.offset({0, 1, 0, 0}) == 1;
    step = woven ? target.offset({0, 2, 0, 0}) : target.offset({2, 0, 0, 0});
    for (int64_t a = 0; a < kLanes; ++a)
      for (int64_t b = 0; b < kLanes; ++b) {
        const int64_t pair = woven ? b : a, other = woven ? a : b;
        if (target.offset({a, b, 0, 0}) != pair / 2 * step + other * 2 + pair % 2) return;
      }
    for (int64_t a = 0; a < from.dim(0); a += kLanes)
      for (int64_t b = 0; b < from.dim(1); b += kLanes)
        for (int64_t h = 0; h < from.dim(2); ++h)
          for (int64_t w = 0; w < from.dim(3); ++w) places.push_back(target.offset({a, b, h, w}));
  }
  bool fits() const { return !places.empty(); }
};

// narrow<Bf16> of bfloat16.h, lane by lane, in the lower half of each word.
inline __m512i roundedWords(const float* from) {
  const __m512i words = _mm512_loadu_si512(from), high = _mm512_srli_epi32(words, 16);
  const __m512i odd = _mm512_and_si512(high, _mm512_set1_epi32(1));
  const __m512i half = _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff));
  const __m512i nearest = _mm512_srli_epi32(_mm512_add_epi32(words, half), 16);
  const __m512 value = _mm512_castsi512_ps(words);
  const __mmask16 nan = _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q);
  return _mm512_mask_or_epi32(nearest, nan, high, _mm512_set1_epi32(0x40));
}

inline void weaveTile(const Weave& weave, const float* from, Bf16* to) {
  __m512i v[16];
  if (weave.woven) {
#pragma GCC unroll 8
    for (int64_t r = 0; r < kLanes; r += 2)
      _mm512_storeu_si512(
          to + r / 2 * weave.step,
          _mm512_or_si512(roundedWords(from + r * kLanes),
                          _mm512_slli_epi32(roundedWords(from + (r + 1) * kLanes), 16)));
    return;
  }
#pragma GCC unroll 16
  for (int64_t r = 0; r < kLanes; ++r) v[r] = roundedWords(from + r * kLanes);
  transpose(v);
#pragma GCC unroll 8
  for (int64_t r = 0; r < kLanes; r += 2)
    _mm512_storeu_si512(to + r / 2 * weave.step,
                        _mm512_or_si512(v[r], _mm512_slli_epi32(v[r + 1], 16)));
}

inline std::unique_ptr<Step> weaveOf(const Operand& x, const Operand& y) {
  Weave weave(x, y);
  if (!weave.fits()) return nullptr;
  return lrscope::makeStep([=, weave = std::move(weave)](const RunContext& run) {
    const float* from = x.f32(run);
    Bf16* to = y.data<Bf16>(run);
    const auto tiles = static_cast<int64_t>(weave.places.size());
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < tiles; ++i) weaveTile(weave, from + i * kTile, to + weave.places[i]);
  });
}

}  // namespace lrscope::tiles::avx512
