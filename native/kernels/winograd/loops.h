// The variant of the Winograd convolution for the vectors of winograd_vector.h.
#pragma once
#include "kernels/winograd/convolve.h"
#include "kernels/winograd/variant.h"
#include "kernels/winograd/weights.h"

namespace lrscope::winograd::LRSCOPE_WIDTH {

inline size_t scratchBytesOf(Pass pass, const Problem& p) {
  return pass == Pass::backwardWeights ? weightGradientScratchBytes(p)
                                       : convolveScratchBytes(pass, p);
}

inline std::unique_ptr<Step> stepOf(Pass pass, const Site& site, const Product& product,
                                    Pair padding) {
  return pass == Pass::backwardWeights ? weightGradientStep(site, product, padding)
                                       : convolveStep(pass, site, product, padding);
}

}  // namespace lrscope::winograd::LRSCOPE_WIDTH
