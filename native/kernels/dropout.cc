// dropout (Srivastava et al. 2014, inverted): y = x * keep / (1 - p). The mask is a function of
// (seed, update, layer, logical element), so the derivative is the same instruction on dy.
#include <algorithm>
#include <cmath>

#include "core/philox.h"
#include "kernels/kernels.h"
#include "kernels/simd/lanes.h"

namespace lrscope {

namespace {

LayoutAnswer choose(const LayoutQuestion& q) {
  const std::string plain = plainLayout(q.inputs[0].shape.size());
  LayoutAnswer a;
  a.inputs = {plain};
  a.outputs = {plain};
  return withBytes(q, a);
}

struct Dropout {
  float scale;
  uint32_t layer;
  uint64_t least;  // of the words that keep their element: uniform(word) >= p

  Words4 counter(int64_t quad, const RunContext& run) const {
    return {static_cast<uint32_t>(quad), run.update, layer, 0};
  }

  // Elements 4 * quad to 4 * quad + count - 1.
  template <class T>
  void apply(int64_t quad, int64_t count, const RunContext& run, const T* from, T* to) const {
    const Words4 words = philox(counter(quad, run), run.seed, kDropout);
    for (int64_t i = 0; i < count; ++i)
      to[quad * 4 + i] = narrow<T>(words[i] >= least ? wide(from[quad * 4 + i]) * scale : 0.0f);
  }

#ifdef __AVX2__
  // The sixteen elements from 4 * quad on.
  template <class T>
  void applyFour(int64_t quad, const RunContext& run, const T* from, T* to) const {
    const Words16 words = philoxFour(counter(quad, run), run.seed, kDropout);
    put(words.first, from + quad * 4, to + quad * 4);
    put(words.second, from + quad * 4 + kVec, to + quad * 4 + kVec);
  }
  template <class T>
  void put(__m256i words, const T* from, T* to) const {
    const Mask kept = (Words)words >= Words{} + static_cast<uint32_t>(least);
    Whole{}.store(to, select(kept, Whole{}.load(from) * scale));
  }
#endif
};

std::unique_ptr<Step> build(const Site& site) {
  const Operand &x = site.inputs[0], &y = site.outputs[0];
  expectAlike(x, y);
  expectLayout(x, plainLayout(x.shape.size()));
  const double p = site.attributes.number("p");
  if (!(p >= 0 && p <= 1)) throw Refusal("p must be in [0, 1]");
  // p = 1 keeps nothing: y = 0, not 0 * infinity.
  const Dropout dropout = {p < 1 ? static_cast<float>(1 / (1 - p)) : 0.0f,
                           static_cast<uint32_t>(site.attributes.integer("layerIndex")),
                           static_cast<uint64_t>(std::ceil(p * 4294967296.0))};
  const int64_t count = x.elements();
  return withElement(x, [&](auto element) {
    using T = decltype(element);
    return makeStep([=](const RunContext& run) {
      const T* from = x.data<T>(run);
      T* to = y.data<T>(run);
      const int64_t sixteens = (count + 15) / 16;
#pragma omp parallel for schedule(static)
      for (int64_t i = 0; i < sixteens; ++i) {
        const int64_t end = std::min(16 * i + 16, count);
#ifdef __AVX2__
        if (end - 16 * i == 16 && dropout.least < (uint64_t{1} << 32)) {
          dropout.applyFour(4 * i, run, from, to);
          continue;
        }
#endif
        for (int64_t quad = 4 * i; quad * 4 < end; ++quad)
          dropout.apply(quad, std::min<int64_t>(4, end - quad * 4), run, from, to);
      }
    });
  });
}

}  // namespace

const Kernel kDropoutKernel = {choose, build};

}  // namespace lrscope
