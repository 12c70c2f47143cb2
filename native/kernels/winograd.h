// Our own Winograd convolutions, F(4x4,3x3) with AVX2 and FMA: oneDNN has them for AVX-512 alone.
// 3x3, stride 1, padding 0 to 2, f32, activations in a layout that keeps eight channels together.
#pragma once
#include <memory>
#include <string>

#include "product.h"

namespace lrscope::winograd {

constexpr const char* kName = "winograd:avx2 F(4x4,3x3)";

// What is convolved, whichever of the three tensors is being computed.
struct Problem {
  Tensor x, weight, y;
  Pair padding;
};

// Whether this build has it.
bool available();

// Whether it can run with an activation in the layout that it has; weights may have any.
bool takes(const Tensor& activation);

// Of the instruction, for the threads that OpenMP would use now.
size_t scratchBytes(Pass pass, const Problem& problem);

std::unique_ptr<Step> makeStep(Pass pass, const Site& site, const Product& product);

}  // namespace lrscope::winograd
