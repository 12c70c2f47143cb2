// The gradients of a convolution's weights as products of tiles of bf16, on processors that have
// them (AMX). oneDNN's take two to six times as long (docs/decisions/0045).
#pragma once
#include <memory>

#include "kernels/product.h"

namespace lrscope::tiles {

constexpr const char* kName = "tiles:amx_bf16";

struct Problem {
  Tensor x, weight, dy;
  Pair stride, padding;  // before the first row and column
};

// Whether this build, this processor and these operands have it: channels-last activations of bf16,
// a multiple of 16 outputs, and of 16 inputs or few of them.
bool takes(const Problem& problem);

// The layout of the gradient for a number of input channels.
std::string weightLayout(int64_t channels);

// For the threads that OpenMP would use now.
size_t scratchBytes(const Problem& problem);

std::unique_ptr<Step> makeStep(const Site& site, const Product& product);

// The reorder of weights from tiles of float32 into those that products by tiles want; null where
// the layouts are others.
std::unique_ptr<Step> makeWeave(const Operand& x, const Operand& y);

// What avx512.cc has of it; null in a build without.
struct Variant {
  size_t (*scratchBytes)(const Problem& problem);
  std::unique_ptr<Step> (*makeStep)(const Site& site, const Product& product);
  std::unique_ptr<Step> (*makeWeave)(const Operand& x, const Operand& y);
};
extern const Variant* const kAmx;

}  // namespace lrscope::tiles
