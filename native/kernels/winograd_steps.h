// The two kinds of step that winograd.cc chooses from; each in a file of its own.
#pragma once
#include "winograd.h"

namespace lrscope::winograd {

// winograd_convolve.cc: forward, and backward data.
size_t convolveScratchBytes(Pass pass, const Problem& problem);
std::unique_ptr<Step> convolveStep(Pass pass, const Site& site, const Product& product,
                                   Pair padding);

// winograd_weights.cc
size_t weightGradientScratchBytes(const Problem& problem);
std::unique_ptr<Step> weightGradientStep(const Site& site, const Product& product, Pair padding);

}  // namespace lrscope::winograd
