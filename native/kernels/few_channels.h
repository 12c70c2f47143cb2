// The gradients of weights and bias of a convolution over few input channels, with AVX2: the first
// layer's. oneDNN's blocked kernels leave most of their lanes empty there.
#pragma once
#include <memory>

#include "kernels/product.h"

namespace lrscope::few_channels {

constexpr const char* kName = "direct:avx2 few channels";

// Whether this build and these operands have it: up to four channels in plain order, and a gradient
// of y that keeps eight channels together.
bool takes(const Tensor& x, const Tensor& dy);

size_t scratchBytes(const Tensor& x, const Tensor& weight, const Tensor& dy, Pair stride);

std::unique_ptr<Step> makeStep(const Site& site, const Product& product);

}  // namespace lrscope::few_channels
