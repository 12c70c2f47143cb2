// What convolution.cc sees of our own Winograd; on processors other than x86 with AVX2, nothing.
#include "winograd.h"

#if defined(__AVX2__) && defined(__FMA__)
#include "winograd_operands.h"
#include "winograd_steps.h"

namespace lrscope::winograd {

bool available() { return true; }

bool takes(const Tensor& activation) { return Blocks::fit(activation); }

size_t scratchBytes(Pass pass, const Problem& p) {
  return pass == Pass::backwardWeights ? weightGradientScratchBytes(p)
                                       : convolveScratchBytes(pass, p);
}

std::unique_ptr<Step> makeStep(Pass pass, const Site& site, const Product& product) {
  for (const Operand* activation : {&product.x, &product.y})
    if (!takes(*activation))
      throw Refusal("\"" + activation->name + "\" must keep eight channels together; got \"" +
                    activation->layout + "\"");
  const Pair padding = site.attributes.pair("padding");
  return pass == Pass::backwardWeights ? weightGradientStep(site, product, padding)
                                       : convolveStep(pass, site, product, padding);
}

}  // namespace lrscope::winograd
#else
namespace lrscope::winograd {

bool available() { return false; }
bool takes(const Tensor&) { return false; }
size_t scratchBytes(Pass, const Problem&) { return 0; }
std::unique_ptr<Step> makeStep(Pass, const Site&, const Product&) {
  throw Refusal("this build has no Winograd convolution of its own");
}

}  // namespace lrscope::winograd
#endif
