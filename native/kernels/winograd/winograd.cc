// What convolution.cc sees of our own Winograd: the variant with the widest vectors that this build
// and this processor have.
#include "kernels/winograd/winograd.h"

#include "kernels/winograd/variant.h"

namespace lrscope::winograd {

namespace {

// As oneDNN sees the processor, so that what keeps oneDNN from AVX-512 keeps us from it, too.
const Variant* best() { return onednn::isa().rfind("avx512", 0) == 0 && kAvx512 ? kAvx512 : kAvx2; }

const Variant& variant() {
  if (!best()) throw Refusal("this build has no Winograd convolution of its own");
  return *best();
}

}  // namespace

bool available() { return best() != nullptr; }

std::string implementation() { return variant().name; }

bool isOurs(const std::string& implementation) {
  return available() && implementation == best()->name;
}

bool takes(const Tensor& activation) { return available() && best()->takes(activation); }

std::string blockedLayout() { return best() == kAvx512 ? "aBcd16b" : "aBcd8b"; }

std::string weightLayout() { return best() == kAvx512 ? "ABcd16b16a" : "ABcd8b8a"; }

size_t scratchBytes(Pass pass, const Problem& p) { return variant().scratchBytes(pass, p); }

std::unique_ptr<Step> makeStep(Pass pass, const Site& site, const Product& product) {
  for (const Operand* activation : {&product.x, &product.y})
    if (!takes(*activation))
      throw Refusal("\"" + activation->name + "\" must keep a vector of channels together; got \"" +
                    activation->layout + "\"");
  return variant().makeStep(pass, site, product, site.attributes.pair("padding"));
}

}  // namespace lrscope::winograd
