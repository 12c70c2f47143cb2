// Our own Winograd convolutions, F(4x4,3x3), with AVX2 or AVX-512.
// 3x3, stride 1, padding 0 to 2, f32, activations in a layout that keeps a vector of channels
// together.
#pragma once
#include <memory>
#include <string>

#include "kernels/product.h"

namespace lrscope::winograd {

// What is convolved, whichever of the three tensors is being computed.
struct Problem {
  Tensor x, weight, y;
  Pair padding;
};

// Whether this build and this processor have it.
bool available();

// What Choice says of it, and whether a step of this name is ours.
std::string implementation();
bool isOurs(const std::string& implementation);

// Whether it can run with an activation in the layout that it has; weights may have any.
bool takes(const Tensor& activation);

// The layouts that it likes best: of activations, of weights.
std::string blockedLayout();
std::string weightLayout();

// Of the instruction, for the threads that OpenMP would use now.
size_t scratchBytes(Pass pass, const Problem& problem);

std::unique_ptr<Step> makeStep(Pass pass, const Site& site, const Product& product);

}  // namespace lrscope::winograd
