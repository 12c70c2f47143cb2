// The gradients of weights and bias of a depthwise convolution. oneDNN has generated code for rows
// of up to three weights alone, and falls back to a matrix product for each channel of each image.
#pragma once
#include <memory>

#include "kernels/product.h"

namespace lrscope::depthwise {

constexpr const char* kName = "direct:avx2 depthwise";

// Whether these operands have it: a channel a group, activations of one layout that keeps eight or
// sixteen channels together, and rows of 3, 5 or 7 weights in f32.
bool takes(const Tensor& x, const Tensor& weight, const Tensor& dy);

size_t scratchBytes(const Tensor& x, const Tensor& weight, const Tensor& dy, Pair stride);

std::unique_ptr<Step> makeStep(const Site& site, const Product& product);

}  // namespace lrscope::depthwise
