// dropout (Srivastava et al. 2014, inverted): y = x * keep / (1 - p). The mask is a function of
// (seed, update, layer, logical element), so the derivative is the same instruction on dy.
#include "../philox.h"
#include "kernels.h"

namespace lrscope {

namespace {

LayoutAnswer choose(const LayoutQuestion& q) {
  expectCounts(q, 1, 1, 1, 1);
  const std::string plain = plainLayout(q.inputs[0].shape.size());
  LayoutAnswer a;
  a.inputs = {plain};
  a.outputs = {plain};
  return withBytes(q, a);
}

std::unique_ptr<Step> build(const Site& site) {
  expectOperands(site, 1, 1, 1, 1);
  const Operand &x = site.inputs[0], &y = site.outputs[0];
  expectAlike(x, y);
  expectLayout(x, plainLayout(x.shape.size()));
  const double p = site.attributes.number("p");
  if (!(p >= 0 && p <= 1)) throw Refusal("p must be in [0, 1]");
  // p = 1 keeps nothing: y = 0, not 0 * infinity.
  const float scale = p < 1 ? static_cast<float>(1 / (1 - p)) : 0.0f;
  const auto layer = static_cast<uint32_t>(site.attributes.integer("layerIndex"));
  const int64_t count = x.elements();
  return withElement(x, [&](auto element) {
    using T = decltype(element);
    return makeStep([=](const RunContext& run) {
      const T* from = x.data<T>(run);
      T* to = y.data<T>(run);
      const int64_t quads = (count + 3) / 4;
#pragma omp parallel for schedule(static)
      for (int64_t quad = 0; quad < quads; ++quad) {
        const Words4 words =
            philox({static_cast<uint32_t>(quad), run.update, layer, 0}, run.seed, kDropout);
        const int64_t end = count - quad * 4 < 4 ? count - quad * 4 : 4;
        for (int64_t i = 0; i < end; ++i)
          to[quad * 4 + i] =
              narrow<T>(uniform(words[i]) >= p ? wide(from[quad * 4 + i]) * scale : 0.0f);
      }
    });
  });
}

}  // namespace

const Kernel kDropoutKernel = {choose, build};

}  // namespace lrscope
